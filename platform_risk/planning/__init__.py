"""Planning: what to do, what happened, what changed: remedies, alert coverage, incidents, reviews. Above findings and
costs, which know nothing of it.
"""
