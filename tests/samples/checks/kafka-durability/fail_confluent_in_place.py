# expect: kafka-durability fail line=4
from confluent_kafka import Producer

producer = Producer({"bootstrap.servers": "kafka:9092", "acks": 0})
