#pragma once

/// Everything that needs no Asio. For completion tokens include producer_async.h, consumer_async.h or admin_async.h as
/// well.
#include "barnabas/admin.h"
#include "barnabas/assignor.h"
#include "barnabas/config.h"
#include "barnabas/consumer.h"
#include "barnabas/delivery.h"
#include "barnabas/error.h"
#include "barnabas/group_metadata.h"
#include "barnabas/interceptor.h"
#include "barnabas/logging.h"
#include "barnabas/metrics.h"
#include "barnabas/partitioner.h"
#include "barnabas/producer.h"
#include "barnabas/record.h"
#include "barnabas/records.h"
#include "barnabas/runtime.h"
#include "barnabas/topic_partition.h"
