"""confluent-kafka as a writer and a reader of the interop tests.

  confluent_client.py produce BOOTSTRAP TOPIC CODEC   a JSON object a line on standard input: key, value, headers, timestamp
  confluent_client.py consume BOOTSTRAP TOPIC COUNT   the first COUNT records of partition 0, an object a line
  confluent_client.py member BOOTSTRAP TOPIC GROUP STRATEGY SESSION_MS   the values of the records that a group's member gets, a line each
"""
import json
import signal
import sys
import time

import confluent_kafka as kafka


def produce(bootstrap, topic, codec):
    failures = []
    producer = kafka.Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "compression.type": codec})
    for line in sys.stdin:
        record = json.loads(line)
        producer.produce(topic, partition=0, key=record["key"], value=record["value"], timestamp=record["timestamp"],
                         headers=[(k, v.encode()) for k, v in record["headers"]],
                         on_delivery=lambda error, _: failures.append(error) if error else None)
    if producer.flush(20) or failures:
        sys.exit(f"not delivered: {failures}")


def text(value):
    return None if value is None else value.decode()


def consume(bootstrap, topic, count):
    consumer = kafka.Consumer({"bootstrap.servers": bootstrap, "group.id": "assigned", "enable.auto.commit": False})
    consumer.assign([kafka.TopicPartition(topic, 0, kafka.OFFSET_BEGINNING)])
    deadline = time.time() + 30
    while count and time.time() < deadline:
        message = consumer.poll(0.5)
        if message is None:
            continue
        if message.error():
            sys.exit(str(message.error()))
        print(json.dumps({"partition": message.partition(), "offset": message.offset(), "timestamp": message.timestamp()[1],
                          "key": text(message.key()), "value": text(message.value()),
                          "headers": [[k, text(v)] for k, v in message.headers() or []]}))
        count -= 1
    if count:
        sys.exit(f"{count} records did not come")


def member(bootstrap, topic, group, strategy, session):
    consumer = kafka.Consumer({"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest",
                               "partition.assignment.strategy": strategy, "session.timeout.ms": int(session)})
    consumer.subscribe([topic])
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    while not ended:
        message = consumer.poll(0.5)
        if message is None:
            continue
        if message.error():
            print(message.error(), file=sys.stderr, flush=True)
        else:
            print(text(message.value()), flush=True)
    consumer.close()  # leaves the group


if sys.argv[1] == "produce":
    produce(*sys.argv[2:5])
elif sys.argv[1] == "member":
    member(*sys.argv[2:7])
else:
    consume(sys.argv[2], sys.argv[3], int(sys.argv[4]))
