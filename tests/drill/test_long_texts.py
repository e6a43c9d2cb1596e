"""Whatever text stands anywhere in a configuration, it is read in seconds: what grows with its square is found here."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from findings.checks import engine
from findings.platform import reader
from findings.platform.files import File
from tests.findings.checks.test_invariants import SAMPLES, name, nodes, replaced, texts

pytestmark = pytest.mark.drill

LETTERS = 20_000
PIECES = (
    "a", " ", "{", "<", '"', "'", "up{", "a,", "(", "\\", "${", "a b ", "_", "://", "password=", "-", ".", "*", "|",
    "@", "$A + ", "1", "/", "dev-", "{{", "secret_", ".+", "KEY ", "user >",
)  # fmt: skip
# Of processor; the text alone takes a hundredth. What grows with the square takes ten, with the cube hours.
MOST_SECONDS = 2.0


def leaves(document: Any) -> Iterator[tuple[Any, ...]]:
    for path in nodes(document):
        node = document
        for key in path:
            node = node[key]
        if isinstance(node, str):
            yield path


@pytest.mark.parametrize("sample", sorted(each for folder in SAMPLES.iterdir() for each in folder.iterdir()), ids=name)
def test_no_text_takes_long_wherever_it_stands(sample: Path) -> None:
    given = texts(sample)
    for file in (each for each in given if each.path.endswith((".yaml", ".yml", ".json"))):
        try:
            documents = list(yaml.safe_load_all(file.text))
        except yaml.YAMLError:
            continue  # broken on purpose
        others = [each for each in given if each is not file]
        for path in leaves(documents):
            for piece in PIECES:
                changed = replaced(documents, path, piece * (LETTERS // len(piece)) + "!")
                text = "\n---\n".join(json.dumps(each, default=str) for each in changed)
                begin = time.process_time()
                engine.run(reader.read([File(file.path, text), *others]))
                assert time.process_time() - begin < MOST_SECONDS, (file.path, path, piece)
