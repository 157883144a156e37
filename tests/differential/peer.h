#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/bytes/bytes.h"
#include "common/bytes/uuid.h"
#include "common/protocol/headers.h"
#include "tests/support/raw_socket.h"

namespace barnabas::differential {

/// One of the two brokers: Apache Kafka or ours. Makes the topics and data that rows speak about, and knows their ids.
class Peer {
 public:
  Peer(std::string name, std::uint16_t port) : name_(std::move(name)), port_(port) {}

  const std::string& name() const { return name_; }
  std::uint16_t port() const { return port_; }

  /// Makes the topic unless this peer has made it before, and waits until each partition takes records.
  void make_topic(const std::string& topic, std::int32_t partitions = 1,
                  std::map<std::string, std::string> configs = {});
  bool has_topic(const std::string& topic) const { return topic_ids_.count(topic) != 0; }
  /// Of a topic that came to be without make_topic().
  void know_topic(const std::string& topic, const Uuid& id);
  /// Names and ids of the topics that are known.
  const std::map<std::string, Uuid>& topic_ids() const { return topic_ids_; }
  void delete_topic(const std::string& topic);
  /// Waits until the broker serves topics and gives out producer ids: Apache Kafka fetches its first block of them when
  /// it is first asked.
  void warm_up();
  /// Appends with acks=all; throws when the broker does not take it.
  void produce(const std::string& topic, std::int32_t partition, BytesView batches);
  /// Of a topic that this peer made, throws for another.
  Uuid topic_id(const std::string& topic) const;
  /// The topic's name in angle brackets where the id is known, "<an id>" where it is not; the zero id stays.
  std::string masked_id(const std::string& id) const;

  /// Asks over a connection of its own; throws when there is no answer.
  template <typename Request, typename Response>
  Response ask(const Request& request, std::int16_t version) {
    Writer out;
    if (!protocol::encode_request_frame(out, request, version, 1, "prepare")) throw std::runtime_error("encode");
    answer_ = exchange(out.view());
    Reader in(answer_);
    if (!protocol::decode_response_header(in, Request::kApiKey, version)) throw std::runtime_error("header");
    Result<Response> response = Response::decode(in, version);
    if (!response) throw std::runtime_error(name_ + ": " + response.error().message());
    return std::move(*response);
  }

 private:
  Bytes exchange(BytesView frame);
  bool takes_records(const std::string& topic, std::int32_t partitions);

  std::string name_;
  std::uint16_t port_;
  std::map<std::string, Uuid> topic_ids_;
  std::map<std::string, std::string> names_;  // by the id's text, deleted topics too
  Bytes answer_;
};

}  // namespace barnabas::differential
