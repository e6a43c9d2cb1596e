# expect: kafka-durability fail severity=high broker_losses_survived=0 line=4
from aiokafka import AIOKafkaProducer

producer = AIOKafkaProducer(bootstrap_servers="kafka:9092")
