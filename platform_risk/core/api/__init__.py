"""What every endpoint shares: sign-in, pages, problems, idempotency, exports."""
