import requests


def test_it_answers():
    assert requests.get("http://localhost:8000").ok
