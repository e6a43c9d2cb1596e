from kafka import KafkaConsumer
import os

def main():
    consumer = KafkaConsumer(
        "payments",
        group_id="ledger",
        bootstrap_servers=os.environ["KAFKA_BROKERS"],
        enable_auto_commit=False,
        max_poll_records=100,
        max_poll_interval_ms=300000,
    )
    for m in consumer:
        handle(m)
