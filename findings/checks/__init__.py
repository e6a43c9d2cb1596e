"""The platform's failure modes, one module each: what fails, what passes, and what cannot be told. PURE."""
