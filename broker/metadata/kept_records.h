#pragma once

#include <string>

#include "broker/metadata/metadata_records.h"
#include "common/bytes/result.h"

namespace barnabas::metadata {

/// What a record is about that we keep without acting on it (quotas, ACLs, credentials, tokens, controllers): a later
/// one with the same key takes its place in a snapshot.
struct KeptSubject {
  std::string key;       ///< Empty: a type that we have never heard of, all of which are kept.
  bool removes = false;  ///< Takes away what was kept under the key.
};

/// Errors: corrupt_data where a known type does not decode.
Result<KeptSubject> subject_of_kept(const RecordFrame& frame);

}  // namespace barnabas::metadata
