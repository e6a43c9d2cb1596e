from queue import Queue

from kafka import KafkaConsumer

consumer = KafkaConsumer("events", group_id="collector", enable_auto_commit=False)
batch_queue = Queue()
