import asyncio
from collections import deque

from aiokafka import AIOKafkaConsumer


class Reader:
    def __init__(self):
        self.consumer = AIOKafkaConsumer("orders", group_id="billing")
        self.fetched = asyncio.Queue(maxsize=500)
        self.open_spans = deque()  # holds what is traced, and nothing of what is fetched


class Mailer:
    def __init__(self):
        self.outbox = asyncio.Queue()
