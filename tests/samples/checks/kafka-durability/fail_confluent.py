# expect: kafka-durability fail severity=high line=6
from confluent_kafka import Producer

settings = {
    "bootstrap.servers": "kafka:9092",
    "acks": "1",
    "linger.ms": 20,
}
producer = Producer(settings)

payload = {"acks": "0"}  # whatever this is, no client is made of it
