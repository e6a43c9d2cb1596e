"""What tests of pages read out of their markup."""

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.test import Client
from django.urls import resolve

VOID = frozenset({"meta", "link", "input", "img", "br", "hr", "use", "path", "rect", "line", "circle"})
LIST = "/findings/"


def text_of(client: Client, url: str, status: int = 200, query: Mapping[str, Any] | None = None) -> str:
    answer = client.get(url, query)
    assert answer.status_code == status, (url, answer.status_code)
    return str(answer.content.decode())


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""
    inside: tuple[str, ...] = ()


@dataclass
class Markup(HTMLParser):
    """A page as a flat list of elements, each with the text inside it."""

    source: str
    elements: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[Element] = []
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(
            tag, {name: value or "" for name, value in attrs}, inside=tuple(each.tag for each in self._open)
        )
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    def links(self, starting: str = "") -> list[Element]:
        return [each for each in self.all("a") if each.attributes.get("href", "").startswith(starting)]

    def by_id(self, name: str) -> Element:
        return next(each for each in self.elements if each.attributes.get("id") == name)


def faults(source: str) -> list[str]:
    """What a page must not have, wherever it is: styles and scripts in it, two of an id, fields without a label …"""
    page = Markup(source)
    ids = [each.attributes["id"] for each in page.elements if "id" in each.attributes]
    found = [f"twice: id {name}" for name in sorted({name for name in ids if ids.count(name) > 1})]
    found += [f"style on {each.tag}" for each in page.elements if "style" in each.attributes or each.tag == "style"]
    found += [f"inline script {each.text[:40]}" for each in page.all("script") if "src" not in each.attributes]
    found += [f"{name} on {each.tag}" for each in page.elements for name in each.attributes if name.startswith("on")]
    found += [f"no alt: {each.attributes.get('src')}" for each in page.all("img") if "alt" not in each.attributes]
    if len(page.all("h1")) != 1:
        found.append(f"{len(page.all('h1'))} first headings")
    levels = [int(each.tag[1]) for each in page.elements if re.fullmatch(r"h[1-6]", each.tag)]
    in_page = [
        int(each.tag[1])
        for each in page.elements
        if re.fullmatch(r"h[1-6]", each.tag) and "main" in each.inside and "dialog" not in each.inside
    ]
    found += [f"h{after} after h{before}" for before, after in itertools.pairwise(in_page) if after > before + 1]
    assert levels, "a page without headings"
    tables = [each for each in page.all("table") if "main" in each.inside]
    captions = [each for each in page.all("caption") if "main" in each.inside and each.text.strip()]
    if len(captions) != len(tables):
        found.append(f"{len(tables)} tables, {len(captions)} captions")
    return found + _unlabelled(page)


def _unlabelled(page: Markup) -> list[str]:
    labelled = {each.attributes.get("for") for each in page.all("label")}
    return [
        f"no label: {each.tag} {each.attributes.get('name')}"
        for each in page.elements
        if each.tag in ("input", "select", "textarea")
        and each.attributes.get("type") not in ("hidden", "submit")
        and each.attributes.get("id") not in labelled
        and "aria-label" not in each.attributes
        and "label" not in each.inside
    ]


def figure(element: Element) -> int | None:
    number = re.search(r"\d[\d,]*", element.text)
    return int(number[0].replace(",", "")) if number else None


def counted_by_the_list(client: Client, href: str) -> int:
    """How many findings the list behind a link finds."""
    body = text_of(client, href)
    found = re.search(r'<p id="matching">([\d,]+)\s+findings?\b', body)
    assert found is not None, href
    return int(found[1].replace(",", ""))


def figures_that_lie(client: Client, url: str, counted: dict[str, int] | None = None) -> list[str]:
    """Links of a page that show a figure and lead to a list of findings with another one. `counted` remembers lists
    from one page to the next, when nothing changes in between."""
    counted = {} if counted is None else counted
    shown = [(each, figure(each)) for each in Markup(text_of(client, url)).links(f"{LIST}?")]
    assert any(number for _, number in shown), f"{url} shows no figure"
    for href in {each.attributes["href"] for each, n in shown if n is not None} - counted.keys():
        counted[href] = counted_by_the_list(client, href)
    return [
        f"{' '.join(each.text.split())} → {each.attributes['href']}"
        for each, number in shown
        if number is not None and counted[each.attributes["href"]] != number
    ]


def shape(address: str) -> tuple[str, ...]:
    """What page an address is of, and what it is asked for: alike of two findings, or of two services' lists."""
    parts = urlsplit(address)
    asked = [(name, re.sub(r":[^ ]*", ":", value) if name == "q" else "") for name, value in parse_qsl(parts.query)]
    return resolve(parts.path).view_name, *(f"{name}={value}" for name, value in sorted(asked))
