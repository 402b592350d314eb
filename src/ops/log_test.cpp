#include "base/json.hpp"
#include "ops/log.hpp"
#include "ops/log_output.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <thread>
#include <vector>

namespace vitrine::ops {
namespace {

std::string render(LogFormat format, LogFields fields, std::string_view request_id = {}) {
  std::string out;
  render_log_line(out, format,
                  {*parse_time("2024-05-06T07:08:09.123Z"), LogLevel::warning, "job.finished",
                   request_id, fields});
  return out;
}

// The log written to a file while the fixture lives.
class LogFile : public testing::Test {
protected:
  void TearDown() override {
    EXPECT_TRUE(configure_log({}));
    std::filesystem::remove(path_);
  }

  void open(LogLevel level) {
    ASSERT_TRUE(configure_log({.level = level, .format = LogFormat::json, .file = path_}));
  }

  std::vector<json::Value> lines() const {
    LogOutput::instance().flush();
    return written();
  }

  std::vector<json::Value> written() const {
    std::vector<json::Value> out;
    std::ifstream file(path_);
    for (std::string line; std::getline(file, line);) {
      auto value = json::parse(line);
      EXPECT_TRUE(value) << line;
      if (value) out.push_back(std::move(*value));
    }
    return out;
  }

  std::string const path_ = testing::TempDir() + "vitrine_log_test.jsonl";
};

} // namespace

TEST(Log, json_line) {
  EXPECT_EQ(
      render(LogFormat::json,
             {{"job_id", "a\"b\n"}, {"pairs", 25'600}, {"ok", true}, {"share", 0.5}}, "req-1"),
      "{\"time\":\"2024-05-06T07:08:09.123Z\",\"level\":\"warning\",\"event\":\"job.finished\","
      "\"request_id\":\"req-1\",\"job_id\":\"a\\\"b\\n\",\"pairs\":25600,\"ok\":true,\"share\":0."
      "5}");
}

TEST(Log, text_line_quotes_what_could_be_mistaken) {
  EXPECT_EQ(
      render(LogFormat::text, {{"path", "/v2/images"}, {"name", "a b\n=c"}, {"n", -1}}, "req-1"),
      "2024-05-06T07:08:09.123Z warning job.finished path=/v2/images name=\"a b\\n=c\" n=-1 "
      "request_id=req-1");
}

TEST(Log, secrets_are_never_printed) {
  for (auto const* name : {"token", "X-Auth-Token", "adminPass_PASSWORD", "secret_key",
                           "Authorization", "application_credential"}) {
    for (auto const format : {LogFormat::json, LogFormat::text}) {
      auto const line = render(format, {{name, "hunter2"}, {"user", "u1"}});
      EXPECT_EQ(line.find("hunter2"), std::string::npos) << line;
      EXPECT_NE(line.find("u1"), std::string::npos) << line;
    }
  }
  EXPECT_FALSE(is_secret_name("image_id"));
}

TEST(Log, broken_utf8_stays_valid_json) {
  EXPECT_TRUE(json::parse(render(LogFormat::json, {{"path", "/\xff\xc3"}}, "\xfe")));
}

TEST_F(LogFile, level_and_request_scope) {
  open(LogLevel::warning);
  log_info("quiet.event");
  {
    LogRequestScope const outer("req-outer");
    log_warning("first.event", {{"n", 1}});
    {
      LogRequestScope const inner("req-inner");
      log_error("second.event");
    }
    log_warning("third.event");
  }
  log_warning("fourth.event");
  auto const all = lines();
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].at("request_id"), "req-outer");
  EXPECT_EQ(all[0].at("n"), 1);
  EXPECT_EQ(all[1].at("request_id"), "req-inner");
  EXPECT_EQ(all[1].at("level"), "error");
  EXPECT_EQ(all[2].at("request_id"), "req-outer");
  EXPECT_FALSE(all[3].as_object().contains("request_id"));
}

TEST_F(LogFile, lines_of_threads_do_not_mix) {
  open(LogLevel::debug);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([t] {
        for (int i = 0; i < 200; ++i)
          log_debug("thread.wrote", {{"thread", t}, {"i", i}});
      });
    }
  }
  EXPECT_EQ(lines().size(), 800U);
}

TEST_F(LogFile, an_urgent_line_is_written_at_once_with_those_before_it) {
  open(LogLevel::info);
  log_info("first");
  log_warning("second");
  EXPECT_EQ(written().size(), 2U);
}

TEST_F(LogFile, a_line_is_written_without_a_push) {
  open(LogLevel::info);
  log_info("alone");
  auto const last = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (written().empty() && std::chrono::steady_clock::now() < last)
    std::this_thread::yield();
  EXPECT_EQ(written().size(), 1U);
}

TEST_F(LogFile, a_full_disk_costs_the_lines_that_it_does_not_take_and_no_other) {
  open(LogLevel::info);
  log_warning("first.event");
  auto const first = std::filesystem::file_size(path_);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  auto const handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit const full{.rlim_cur = first + 10, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &full);
  log_warning("cut.event");
  log_warning("lost.event");
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(std::filesystem::file_size(path_), first + 10);
  log_warning("whole.event");
  log_warning("last.event");

  std::ifstream file(path_);
  std::vector<std::string> all;
  for (std::string line; std::getline(file, line);)
    all.push_back(line);
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[1].size(), 10U);
  EXPECT_EQ(json::parse(all[2])->at("event"), "whole.event");
  EXPECT_EQ(json::parse(all[3])->at("event"), "last.event");
}

TEST_F(LogFile, off_writes_nothing_and_a_bad_file_keeps_the_log) {
  open(LogLevel::info);
  auto const refused = configure_log({.level = LogLevel::off, .file = path_ + "/log"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::invalid_value);
  log_info("still.here");
  EXPECT_EQ(lines().size(), 1U);
  open(LogLevel::off);
  log_error("never.written");
  EXPECT_EQ(lines().size(), 1U);
}

} // namespace vitrine::ops
