#include "tests/differential/conversation.h"

#include <optional>

#include "common/protocol/headers.h"
#include "common/protocol/message_registry.h"
#include "common/protocol/messages/api_versions.h"
#include "tests/differential/masks.h"
#include "tests/support/golden.h"
#include "tests/support/raw_socket.h"

namespace barnabas::differential {
namespace {

using nlohmann::json;

bool still_serves(testing::RawSocket& socket) {
  protocol::ApiVersionsRequest request;
  return socket.send(frame_of(request, 0).bytes) && socket.receive_frame().has_value();
}

}  // namespace

json body_of(const Bytes& answer, const Frame& frame) {
  Reader in(answer);
  const auto header = protocol::decode_response_header(in, frame.api, frame.version);
  if (!header) throw std::runtime_error("response header: " + header.error().message());
  const Bytes body(answer.begin() + static_cast<std::ptrdiff_t>(in.position()), answer.end());
  const auto* info = protocol::find_message(protocol::MessageKind::response, static_cast<std::int16_t>(frame.api));
  Writer again;
  json read;
  Reader from(body);
  // ApiVersions answers a version that it does not know in version 0.
  std::int16_t version = frame.version;
  if (frame.api == protocol::ApiKey::api_versions && (version < 0 || version > info->max_version)) version = 0;
  const Result<void> done = info->recode(from, version, &again, &read);
  if (!done) throw std::runtime_error("response body: " + done.error().message() + ": " + testing::to_hex(body));
  if (!std::ranges::equal(again.view(), body)) throw std::runtime_error("the response has other bytes than its JSON");
  if (header->correlation_id != kCorrelationId) read["correlationId"] = header->correlation_id;
  return read;
}

Conversation converse(const Row& row, Peer& peer) {
  if (row.prepare) row.prepare(peer);
  Conversation result;
  Scene scene{peer, {}};
  testing::RawSocket socket(peer.port(), row.patience);
  bool finished = false;
  for (const Step& step : row.steps) {
    const Frame frame = step(scene);
    std::optional<Bytes> answer;
    if (socket.send(frame.bytes)) {
      if (frame.then_finish) socket.finish_sending();
      answer = socket.receive_frame();
    }
    finished = frame.then_finish;
    if (!answer) {
      result.outcomes.push_back({{socket.wait_until_closed() ? "closed" : "silent", true}});
      return result;
    }
    scene.answers.push_back(body_of(*answer, frame));
    result.outcomes.push_back({{"answer", masked(scene.answers.back(), frame.api, peer)}});
  }
  if (!finished) result.outcomes.push_back({{"open", still_serves(socket)}});
  return result;
}

}  // namespace barnabas::differential
