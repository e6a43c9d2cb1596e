from sqlalchemy import create_engine

engine = create_engine("postgresql+psycopg://aurora.internal/shop", pool_size=6, max_overflow=2)
