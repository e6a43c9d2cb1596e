# expect: kafka-consumers unknown provide="facts: kafka.topics.NAME.partitions"
num_workers: int = 4  # Default workers
# But in grandcentral-enhanced.yml:
WORKER_THREADS: "7"
# And production has 12 partitions
