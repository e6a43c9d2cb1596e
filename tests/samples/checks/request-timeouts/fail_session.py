# expect: request-timeouts fail severity=medium calls_without_timeout=3 line=10
import requests

session = requests.Session()


class Client:
    def __init__(self) -> None:
        self.http = requests.Session()
        session.get("https://orders.example")

    def send(self) -> None:
        self.http.post("https://orders.example")
        with requests.Session() as own:
            own.put("https://orders.example")
            own.put("https://orders.example", timeout=3)
        {}.get("a")
