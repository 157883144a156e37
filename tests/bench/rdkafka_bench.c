/* What `barnabas bench` does, with librdkafka on its fastest documented calls: rd_kafka_produce_batch on explicit partitions
 * without copies, rd_kafka_consume_batch_queue. A stand-alone program: setup.sh compiles it beside the library.
 *
 *   rdkafka_bench produce BROKERS TOPIC COUNT SIZE [NAME=VALUE...]
 *   rdkafka_bench consume BROKERS TOPIC COUNT SIZE [NAME=VALUE...]
 *
 * Values are made before anything is sent; each record's delivery report is looked at. Exits 0 only if all arrived. */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 1000, STEP = 131, SPARE = 64 * 1024 };

static long acknowledged, failed;

static void die(const char *what, const char *why) {
  fprintf(stderr, "rdkafka_bench: %s: %s\n", what, why);
  exit(1);
}

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
  (void)client;
  (void)opaque;
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    ++acknowledged;
  } else {
    ++failed;
  }
}

static rd_kafka_t *make_client(rd_kafka_type_t type, const char *brokers, int settings, char **setting) {
  char why[512];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  if (rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why, sizeof why) != RD_KAFKA_CONF_OK) die("brokers", why);
  for (int i = 0; i < settings; ++i) {
    char name[256];
    const char *value = strchr(setting[i], '=');
    if (!value || value - setting[i] >= (long)sizeof name) die(setting[i], "is not name=value");
    snprintf(name, sizeof name, "%.*s", (int)(value - setting[i]), setting[i]);
    if (rd_kafka_conf_set(conf, name, value + 1, why, sizeof why) != RD_KAFKA_CONF_OK) die(setting[i], why);
  }
  if (type == RD_KAFKA_PRODUCER) rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  rd_kafka_t *client = rd_kafka_new(type, conf, why, sizeof why);
  if (!client) die("rd_kafka_new", why);
  return client;
}

static int partitions_of(rd_kafka_t *client, rd_kafka_topic_t *topic) {
  const struct rd_kafka_metadata *metadata;
  if (rd_kafka_metadata(client, 0, topic, &metadata, 10000) != RD_KAFKA_RESP_ERR_NO_ERROR) die("metadata", "no answer");
  const int count = metadata->topics[0].partition_cnt;
  rd_kafka_metadata_destroy(metadata);
  if (count < 1) die("topic", "has no partitions");
  return count;
}

static void produce(rd_kafka_t *client, rd_kafka_topic_t *topic, long count, long size) {
  const int partitions = partitions_of(client, topic);
  char *text = malloc((size_t)size + SPARE);
  srand(7);
  for (long i = 0; i < size + SPARE; ++i) text[i] = (char)(' ' + rand() % 95);
  rd_kafka_message_t *batch = calloc(BATCH, sizeof *batch);
  long sent = 0;
  for (int partition = 0; sent < count; partition = (partition + 1) % partitions) {
    const int wanted = count - sent < BATCH ? (int)(count - sent) : BATCH;
    for (int i = 0; i < wanted; ++i) {
      batch[i].payload = text + (sent + i) * STEP % SPARE;
      batch[i].len = (size_t)size;
    }
    int from = 0;
    while (from < wanted) {
      const int taken = rd_kafka_produce_batch(topic, partition, 0, batch + from, wanted - from);
      from += taken;
      rd_kafka_poll(client, from < wanted ? 10 : 0);
    }
    sent += wanted;
  }
  if (rd_kafka_flush(client, 60000) != RD_KAFKA_RESP_ERR_NO_ERROR) die("flush", "not all was sent within 60 s");
  if (failed || acknowledged != count) die("produce", "not every record was acknowledged");
}

static void consume(rd_kafka_t *client, rd_kafka_topic_t *topic, long count) {
  const int partitions = partitions_of(client, topic);
  rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
  for (int partition = 0; partition < partitions; ++partition) {
    if (rd_kafka_consume_start_queue(topic, partition, RD_KAFKA_OFFSET_BEGINNING, queue) != 0) die("consume", "start");
  }
  rd_kafka_message_t **batch = malloc(BATCH * sizeof *batch);
  long read = 0, bytes = 0;
  for (int idle = 0; read < count && idle < 100;) {
    const long got = rd_kafka_consume_batch_queue(queue, 100, batch, BATCH);
    if (got < 0) die("consume", rd_kafka_err2str(rd_kafka_last_error()));
    for (long i = 0; i < got; ++i) {
      if (batch[i]->err) die("consume", rd_kafka_message_errstr(batch[i]));
      bytes += (long)(batch[i]->len + batch[i]->key_len);
      rd_kafka_message_destroy(batch[i]);
    }
    read += got;
    idle = got ? 0 : idle + 1;
  }
  if (read < count) die("consume", "nothing more came for 10 s");
  if (bytes == 0) die("consume", "the records were empty");
  for (int partition = 0; partition < partitions; ++partition) rd_kafka_consume_stop(topic, partition);
}

int main(int arguments, char **argument) {
  if (arguments < 6) die("usage", "rdkafka_bench produce|consume BROKERS TOPIC COUNT SIZE [NAME=VALUE...]");
  const int producing = strcmp(argument[1], "produce") == 0;
  rd_kafka_t *client = make_client(producing ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, argument[2], arguments - 6, argument + 6);
  rd_kafka_topic_t *topic = rd_kafka_topic_new(client, argument[3], NULL);
  if (producing) {
    produce(client, topic, atol(argument[4]), atol(argument[5]));
  } else {
    consume(client, topic, atol(argument[4]));
  }
  return 0; /* without the tear-down, which is nobody's benchmark */
}
