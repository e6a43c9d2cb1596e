# expect: request-timeouts pass
import requests
from requests_toolbelt import TimeoutAdapter

session = requests.Session()
session.mount("https://", TimeoutAdapter(5))
session.get("https://orders.example")
requests.get("https://orders.example", timeout=3)
