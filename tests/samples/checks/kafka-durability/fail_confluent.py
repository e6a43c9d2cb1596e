# expect: kafka-durability fail line=6
from confluent_kafka import Producer

settings = {
    "bootstrap.servers": "kafka:9092",
    "acks": "1",
    "linger.ms": 20,
}
producer = Producer(settings)
