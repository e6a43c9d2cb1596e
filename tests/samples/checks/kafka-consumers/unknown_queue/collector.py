from queue import Queue

from kafka import KafkaConsumer
from settings import BOUND

consumer = KafkaConsumer("events", group_id="collector")
batch_queue = Queue(maxsize=BOUND)
