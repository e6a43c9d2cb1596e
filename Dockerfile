# One image for all processes; docker-compose.yml says which command each runs.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PLATFORM_RISK_DATA=/data \
    PLATFORM_RISK_STATIC=/app/staticfiles

WORKDIR /app

# Before the source, so that a change of code does not install everything again.
COPY requirements.lock ./
RUN pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock

RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin platform-risk \
    && mkdir /data && chown platform-risk /data && chmod 0700 /data

COPY . .
# The two values sign and redact nothing here, and do not stay in the image.
RUN PLATFORM_RISK_SECRET_KEY=only-for-collecting-static-files PLATFORM_RISK_REDACTION_SALT=the-same \
    python manage.py prepare --static-only

USER platform-risk
VOLUME /data
EXPOSE 8000
