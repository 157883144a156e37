#include "broker/metadata/kept_records.h"

#include <algorithm>
#include <vector>

#include "common/protocol/messages/access_control_entry_record.h"
#include "common/protocol/messages/client_quota_record.h"
#include "common/protocol/messages/delegation_token_record.h"
#include "common/protocol/messages/register_controller_record.h"
#include "common/protocol/messages/remove_access_control_entry_record.h"
#include "common/protocol/messages/remove_delegation_token_record.h"
#include "common/protocol/messages/remove_user_scram_credential_record.h"
#include "common/protocol/messages/user_scram_credential_record.h"

namespace barnabas::metadata {
namespace {

/// `key_of` makes the key from the decoded record.
template <typename Record, typename KeyOf>
Result<KeptSubject> subject(const RecordFrame& frame, KeyOf key_of, bool removes = false) {
  const auto record = decode_record<Record>(frame);
  if (!record) return failure(record.error());
  return KeptSubject{key_of(*record), removes};
}

std::string quota_key(const protocol::ClientQuotaRecord& record) {
  std::vector<std::string> entities;
  for (const auto& entity : record.entity) {
    // A null name is the default entity, which differs from one with an empty name.
    entities.push_back(entity.entity_type + (entity.entity_name ? "=" + *entity.entity_name : std::string("*")) + '\0');
  }
  std::sort(entities.begin(), entities.end());
  std::string key = "quota/";
  for (const auto& entity : entities) key += entity;
  return key + record.key;
}

template <typename Record>
std::string scram_key(const Record& record) {
  return "scram/" + std::to_string(record.mechanism) + "/" + record.name;
}

}  // namespace

Result<KeptSubject> subject_of_kept(const RecordFrame& frame) {
  switch (static_cast<RecordType>(frame.type)) {
    case RecordType::register_controller:
      return subject<protocol::RegisterControllerRecord>(
          frame, [](const auto& record) { return "controller/" + std::to_string(record.controller_id); });
    case RecordType::client_quota: {
      const auto record = decode_record<protocol::ClientQuotaRecord>(frame);
      if (!record) return failure(record.error());
      return KeptSubject{quota_key(*record), record->remove};
    }
    case RecordType::access_control_entry:
      return subject<protocol::AccessControlEntryRecord>(
          frame, [](const auto& record) { return "acl/" + record.id.to_string(); });
    case RecordType::remove_access_control_entry:
      return subject<protocol::RemoveAccessControlEntryRecord>(
          frame, [](const auto& record) { return "acl/" + record.id.to_string(); }, true);
    case RecordType::user_scram_credential:
      return subject<protocol::UserScramCredentialRecord>(frame, [](const auto& record) { return scram_key(record); });
    case RecordType::remove_user_scram_credential:
      return subject<protocol::RemoveUserScramCredentialRecord>(
          frame, [](const auto& record) { return scram_key(record); }, true);
    case RecordType::delegation_token:
      return subject<protocol::DelegationTokenRecord>(frame,
                                                      [](const auto& record) { return "token/" + record.token_id; });
    case RecordType::remove_delegation_token:
      return subject<protocol::RemoveDelegationTokenRecord>(
          frame, [](const auto& record) { return "token/" + record.token_id; }, true);
    case RecordType::zk_migration_state:
      return KeptSubject{"zk_migration_state", false};
    default:
      return KeptSubject{};
  }
}

}  // namespace barnabas::metadata
