# expect: kafka-durability fail severity=high line=4
from confluent_kafka import Producer

producer = Producer({"bootstrap.servers": "kafka:9092", "acks": 0})
