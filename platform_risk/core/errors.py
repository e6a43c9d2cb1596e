"""What the product refuses, in its own words: services raise these, pages and API say them."""


class Refused(Exception):
    """The request makes no sense as it stands; `field` names what is wrong where there is one."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class Conflict(Exception):
    """The state does not allow it; `allowed` names what it does allow."""

    def __init__(self, message: str, *, allowed: list[str] | None = None) -> None:
        super().__init__(message)
        self.allowed = allowed or []


class Stale(Exception):
    """Somebody changed it in the meantime."""
