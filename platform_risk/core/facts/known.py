"""Which facts there are: the app that reads them says so in AppConfig.ready(), so the core never imports an app."""

from collections.abc import Callable
from typing import Any

# Why a name and value cannot be stated; "" when they can.
Validator = Callable[[str, Any], str]

_validators: list[Validator] = []


def register(validator: Validator) -> None:
    _validators.append(validator)


def problem(name: str, value: Any) -> str:
    """The first validator that knows the name decides."""
    said = [validator(name, value) for validator in _validators]
    return "" if not said or "" in said else said[0]
