/* What `barnabas bench` does, with librdkafka on its fastest documented calls: rd_kafka_produce_batch on explicit partitions
 * without copies, rd_kafka_consume_batch_queue. A stand-alone program: setup.sh compiles it beside the library.
 *
 *   rdkafka_bench produce BROKERS TOPIC COUNT SIZE [NAME=VALUE...]
 *   rdkafka_bench consume BROKERS TOPIC COUNT SIZE [NAME=VALUE...]
 *   rdkafka_bench latency BROKERS TOPIC RATE SECONDS [NAME=VALUE...]   of 100 B; "consumer.NAME=VALUE" is the consumer's
 *
 * bench.clients=N: N clients share the records, and the partitions to read (if more: read the same ones). bench.round.robin=1: the next record goes to the
 * next partition. Values are made before anything is sent; each record's delivery report is looked at. Exits 0 only if all arrived.
 * `latency` does as `barnabas bench latency`: one thread sends what is due, one reads; a record's latency is from when it was
 * due until it is read; the first second is left out. */
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 1000, STEP = 131, SPARE = 64 * 1024, SIZE = 100 };
static const int64_t SECOND = 1000000000;

static long acknowledged, failed;
static int clients = 1, round_robin;

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
    if (strncmp(setting[i], "bench.", 6) == 0) continue;
    const int for_consumer = strncmp(setting[i], "consumer.", 9) == 0;
    const char *start = setting[i] + (for_consumer ? 9 : 0), *value = strchr(start, '=');
    if (for_consumer && type == RD_KAFKA_PRODUCER) continue;
    if (!value || value - start >= (long)sizeof name) die(setting[i], "is not name=value");
    snprintf(name, sizeof name, "%.*s", (int)(value - start), start);
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

static void read_bench_settings(int settings, char **setting) {
  for (int i = 0; i < settings; ++i) {
    sscanf(setting[i], "bench.clients=%d", &clients);
    sscanf(setting[i], "bench.round.robin=%d", &round_robin);
  }
  if (clients < 1) die("bench.clients", "must be at least 1");
}

/* One of the clients that share the work. */
struct client {
  rd_kafka_t *handle;
  rd_kafka_topic_t *topic;
  rd_kafka_queue_t *queue;
  long wanted;
};

static struct client *make_clients(rd_kafka_type_t type, const char *brokers, const char *topic, int settings, char **setting) {
  struct client *all = calloc((size_t)clients, sizeof *all);
  for (int i = 0; i < clients; ++i) {
    all[i].handle = make_client(type, brokers, settings, setting);
    all[i].topic = rd_kafka_topic_new(all[i].handle, topic, NULL);
  }
  return all;
}

static void produce(struct client *all, long count, long size) {
  const int partitions = partitions_of(all->handle, all->topic), turn = clients > 1 ? 100 : BATCH;
  char *text = malloc((size_t)size + SPARE);
  srand(7);
  for (long i = 0; i < size + SPARE; ++i) text[i] = (char)(' ' + rand() % 95);
  rd_kafka_message_t *batch = calloc(BATCH, sizeof *batch);
  long sent = 0;
  for (long number = 0; sent < count; ++number) {
    struct client *client = &all[number % clients];
    const int partition = (int)(number / clients % partitions);
    const int wanted = count - sent < turn ? (int)(count - sent) : turn;
    for (int i = 0; i < wanted; ++i) {
      batch[i].payload = text + (sent + i) * STEP % SPARE;
      batch[i].len = (size_t)size;
      batch[i].partition = (int32_t)((sent + i) % partitions);
    }
    int from = 0;
    while (from < wanted) {
      const int taken = rd_kafka_produce_batch(client->topic, partition, round_robin ? RD_KAFKA_MSG_F_PARTITION : 0,
                                               batch + from, wanted - from);
      from += taken;
      rd_kafka_poll(client->handle, from < wanted ? 10 : 0);
    }
    sent += wanted;
  }
  for (int i = 0; i < clients; ++i) {
    if (rd_kafka_flush(all[i].handle, 60000) != RD_KAFKA_RESP_ERR_NO_ERROR) die("flush", "not all was sent within 60 s");
  }
  if (failed || acknowledged != count) die("produce", "not every record was acknowledged");
}

/* Reads what there is within 100 ms, at most 1,000 records; returns how many. */
static long consume_some(struct client *client) {
  static rd_kafka_message_t *batch[BATCH];
  const long wanted = client->wanted < BATCH ? client->wanted : BATCH;
  const long got = rd_kafka_consume_batch_queue(client->queue, 100, batch, (size_t)wanted);
  if (got < 0) die("consume", rd_kafka_err2str(rd_kafka_last_error()));
  for (long i = 0; i < got; ++i) {
    if (batch[i]->err) die("consume", rd_kafka_message_errstr(batch[i]));
    if (batch[i]->len + batch[i]->key_len == 0) die("consume", "the records were empty");
    rd_kafka_message_destroy(batch[i]);
  }
  return got;
}

static void consume(struct client *all, long count) {
  const int partitions = partitions_of(all->handle, all->topic);
  for (int i = 0; i < clients; ++i) {
    all[i].queue = rd_kafka_queue_new(all[i].handle);
    all[i].wanted = count / clients;
    for (int partition = i % partitions; partition < partitions; partition += clients) {
      if (rd_kafka_consume_start_queue(all[i].topic, partition, RD_KAFKA_OFFSET_BEGINNING, all[i].queue) != 0) {
        die("consume", "start");
      }
    }
  }
  long left = count / clients * clients;
  for (int idle = 0; left > 0 && idle < 100 * clients;) {
    for (int i = 0; i < clients; ++i) {
      if (all[i].wanted == 0) continue;
      const long got = consume_some(&all[i]);
      all[i].wanted -= got;
      left -= got;
      idle = got ? 0 : idle + 1;
    }
  }
  if (left > 0) die("consume", "nothing more came for 10 s");
}

struct latency {
  rd_kafka_t *producer;
  rd_kafka_topic_t *topic;
  int partitions;
  int64_t start, count, rate, received, *latencies;
  long taken;
};

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * SECOND + time.tv_nsec;
}

static int64_t due(const struct latency *bench, int64_t number) {
  return bench->start + (int64_t)((double)number * 1e9 / (double)bench->rate);
}

/* Sends what is due, as one batch to the next partition, and sleeps until the next record is. */
static void *send_all(void *argument) {
  struct latency *bench = argument;
  rd_kafka_message_t *batch = calloc(BATCH, sizeof *batch);
  char *values = malloc((size_t)BATCH * SIZE);
  memset(values, 'x', (size_t)BATCH * SIZE);
  int64_t sent = 0;
  for (int partition = 0; sent < bench->count; partition = (partition + 1) % bench->partitions) {
    const int64_t when = due(bench, sent);
    const struct timespec wake = {when / SECOND, when % SECOND};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL);
    const int64_t time = now();
    int wanted = 0;
    for (; wanted < BATCH && sent + wanted < bench->count && due(bench, sent + wanted) <= time; ++wanted) {
      const int64_t stamp = due(bench, sent + wanted);
      memcpy(values + wanted * SIZE, &stamp, sizeof stamp);
      batch[wanted].payload = values + wanted * SIZE;
      batch[wanted].len = SIZE;
    }
    for (int from = 0; from < wanted;) {
      from += rd_kafka_produce_batch(bench->topic, partition, RD_KAFKA_MSG_F_COPY, batch + from, wanted - from);
      rd_kafka_poll(bench->producer, from < wanted ? 10 : 0);
    }
    sent += wanted;
  }
  return NULL;
}

static void on_record(rd_kafka_message_t *message, void *opaque) {
  struct latency *bench = opaque;
  int64_t stamp;
  if (message->err) die("consume", rd_kafka_message_errstr(message));
  if (message->len != SIZE) die("consume", "others write to this topic too");
  memcpy(&stamp, message->payload, sizeof stamp);
  if (stamp >= bench->start + SECOND) bench->latencies[bench->taken++] = now() - stamp;
  ++bench->received;
}

static int compare(const void *a, const void *b) {
  const int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
  return (left > right) - (left < right);
}

static double share_ms(const struct latency *bench, double share) {
  return (double)bench->latencies[(long)(share * (double)(bench->taken - 1))] / 1e6;
}

static void latency(const char *brokers, const char *name, int64_t rate, int64_t seconds, int settings, char **setting) {
  struct latency bench = {.rate = rate, .count = rate * seconds};
  bench.latencies = malloc((size_t)bench.count * sizeof *bench.latencies);
  bench.producer = make_client(RD_KAFKA_PRODUCER, brokers, settings, setting);
  bench.topic = rd_kafka_topic_new(bench.producer, name, NULL);
  bench.partitions = partitions_of(bench.producer, bench.topic);
  rd_kafka_t *consumer = make_client(RD_KAFKA_CONSUMER, brokers, settings, setting);
  rd_kafka_topic_t *topic = rd_kafka_topic_new(consumer, name, NULL);
  rd_kafka_queue_t *queue = rd_kafka_queue_new(consumer);
  for (int partition = 0; partition < bench.partitions; ++partition) {
    if (rd_kafka_consume_start_queue(topic, partition, RD_KAFKA_OFFSET_BEGINNING, queue) != 0) die("consume", "start");
  }
  rd_kafka_consume_callback_queue(queue, 500, on_record, &bench); /* it connects, and finds the topic empty */
  bench.start = now();
  pthread_t sender;
  if (pthread_create(&sender, NULL, send_all, &bench) != 0) die("pthread_create", "failed");
  const int64_t last = due(&bench, bench.count) + 30 * SECOND;
  while (bench.received < bench.count && now() < last) rd_kafka_consume_callback_queue(queue, 100, on_record, &bench);
  const double took = (double)(now() - bench.start) / 1e9;
  if (bench.received < bench.count) die("latency", "not all came back");
  pthread_join(sender, NULL);
  rd_kafka_flush(bench.producer, 10000);
  if (failed || acknowledged != bench.count) die("latency", "not every record was acknowledged");
  qsort(bench.latencies, (size_t)bench.taken, sizeof *bench.latencies, compare);
  printf("{\"records\": %lld, \"seconds\": %.3f, \"latency_ms\": {\"p50\": %.4f, \"p90\": %.4f, \"p99\": %.4f, "
         "\"p999\": %.4f, \"max\": %.4f}}\n",
         (long long)bench.count, took, share_ms(&bench, 0.5), share_ms(&bench, 0.9), share_ms(&bench, 0.99),
         share_ms(&bench, 0.999), share_ms(&bench, 1));
}

int main(int arguments, char **argument) {
  if (arguments < 6) die("usage", "rdkafka_bench produce|consume|latency BROKERS TOPIC COUNT SIZE [NAME=VALUE...]");
  if (strcmp(argument[1], "latency") == 0) {
    latency(argument[2], argument[3], atol(argument[4]), atol(argument[5]), arguments - 6, argument + 6);
    return 0;
  }
  const int settings = arguments - 6;
  char **setting = argument + 6;
  read_bench_settings(settings, setting);
  if (strcmp(argument[1], "produce") == 0) {
    produce(make_clients(RD_KAFKA_PRODUCER, argument[2], argument[3], settings, setting), atol(argument[4]), atol(argument[5]));
  } else {
    consume(make_clients(RD_KAFKA_CONSUMER, argument[2], argument[3], settings, setting), atol(argument[4]));
  }
  return 0; /* without the tear-down, which is nobody's benchmark */
}
