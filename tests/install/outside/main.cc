#include <barnabas/barnabas.h>
#include <barnabas/embedded_broker.h>

#include <chrono>
#include <cstdio>

using namespace std::chrono_literals;

int main() {
  barnabas::EmbeddedBroker broker;
  const barnabas::Config config{{"bootstrap.servers", broker.bootstrap_servers()}};
  barnabas::Admin admin(config);
  if (admin.create_topics({{.name = "greetings", .partitions = 1}}).at(0).error) return 1;

  barnabas::Producer producer(config);
  producer.send_sync({.topic = "greetings", .key = "k", .value = "hello"});

  barnabas::Consumer consumer({{"bootstrap.servers", broker.bootstrap_servers()}, {"auto.offset.reset", "earliest"}});
  consumer.assign({{"greetings", 0}});
  for (int tries = 0; tries < 100; ++tries) {
    for (const barnabas::RecordView& record : consumer.poll(100ms)) {
      std::printf("%s\n", std::string(record.value().value()).c_str());
      return record.value() == "hello" ? 0 : 2;
    }
  }
  return 3;
}
