"""The core: catalogue, imports, access, redaction. Imports no app."""
