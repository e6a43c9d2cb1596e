"""The attributes of one block of Terraform, with their values as far as the files tell. PURE."""

from collections.abc import Iterator, Mapping
from typing import Any

from findings.platform.hcl import Raw, Scope
from findings.platform.hcl_functions import Cannot
from platform_risk.quantities.sourced import Place, Source, Sourced, Unknown


class Attributes(Mapping[str, "Sourced[Any] | Unknown"]):
    """The attributes of a block, each worked out when it is first asked for: nobody asks for most."""

    def __init__(self, raw: Raw, scope: Scope, of: str) -> None:
        self._raw = raw
        self._scope = scope
        self._of = of
        self._known: dict[str, Sourced[Any] | Unknown | None] = {}

    def __getitem__(self, name: str) -> "Sourced[Any] | Unknown":
        found = self._stated(name)
        if found is None:
            raise KeyError(name)
        return found

    def get(self, name: str, default: Any = None) -> Any:
        """As of any mapping, which would raise and catch an error for each of the many that are not stated."""
        found = self._stated(name)
        return default if found is None else found

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._stated(name) is not None

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._raw.attributes if self._stated(name) is not None)

    def _stated(self, name: str) -> "Sourced[Any] | Unknown | None":
        if name in self._known:
            return self._known[name]
        if name not in self._raw.attributes:
            return None
        found = self._known[name] = self._worked_out(name)
        return found

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _worked_out(self, name: str) -> "Sourced[Any] | Unknown | None":
        expression, line = self._raw.attributes[name]
        place = Place(self._raw.path, line, self._of)
        self._scope.notes.clear()
        try:
            value = self._scope.value(expression)
        except Cannot as error:
            return Unknown(error.reason, error.provide, place, error.partial)
        if isinstance(value, Unknown):
            return Unknown(value.reason, value.provide, place)
        if value is None:  # null is as if it were not there
            return None
        return Sourced(value, Source.FILE, place, "; ".join(dict.fromkeys(self._scope.notes)))
