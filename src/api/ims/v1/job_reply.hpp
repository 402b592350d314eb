// The answer to a request that started a job.
#pragma once

#include "api/kit/request.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"

namespace vitrine::api::ims {

inline Reply job_reply(JobId const& job) {
  std::string body;
  json::Writer(body).begin_object().field("job_id", job.text).end_object();
  return json_reply(200, std::move(body));
}

} // namespace vitrine::api::ims
