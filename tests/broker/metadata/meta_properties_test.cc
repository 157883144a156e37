#include "broker/metadata/meta_properties.h"

#include <gtest/gtest.h>

#include "common/runtime/virtual_env.h"
#include "tests/broker/metadata/kafka_directory.h"

namespace barnabas::metadata {
namespace {

void write(runtime::Env& env, const std::string& directory, const std::string& text) {
  ASSERT_TRUE(env.files().make_directories(directory));
  ASSERT_TRUE(env.files().write_atomically(directory + "/meta.properties", as_bytes(text)));
}

TEST(MetaProperties, reads_what_kafka_wrote) {
  const KafkaDirectory kafka("clean");
  const auto found = read_meta_properties(runtime::system_env().files(), kafka.path());
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->cluster_id, "VmVjdG9yc0NsdXN0ZXItMQ");
  EXPECT_EQ(found->node_id, 1);
  EXPECT_EQ(found->directory_id.to_string(), "8EsDN7f0QTy6lhYEMaW_hA");
}

TEST(MetaProperties, names_the_file_and_what_is_wrong_with_it) {
  runtime::VirtualEnv env;
  const auto problem = [&](const std::string& text) {
    write(env, "/data", text);
    const auto found = read_meta_properties(env.files(), "/data");
    EXPECT_FALSE(found) << text;
    EXPECT_NE(found.error().subject.find("/data/meta.properties"), std::string::npos);
    return found.error();
  };
  EXPECT_EQ(problem("version=2\nnode.id=1\ncluster.id=x\n").code, Errc::unsupported_version);
  EXPECT_EQ(problem("version=0\nbroker.id=1\ncluster.id=x\n").code, Errc::unsupported_version);
  EXPECT_EQ(problem("node.id=1\ncluster.id=x\n").code, Errc::corrupt_data);
  EXPECT_NE(problem("version=1\nnode.id=one\ncluster.id=x\n").subject.find("node.id"), std::string::npos);
  EXPECT_NE(problem("version=1\nnode.id=1\ncluster.id=x\ndirectory.id=?\n").subject.find("directory.id"),
            std::string::npos);
}

TEST(DataDirectories, gives_a_fresh_set_one_cluster_id_and_keeps_it) {
  runtime::VirtualEnv env;
  const auto first = open_data_directories(env, {"/a", "/b"}, "/a", 1);
  ASSERT_TRUE(first) << first.error().message();
  EXPECT_TRUE(first->fresh);
  EXPECT_EQ(first->ids.size(), 2u);
  EXPECT_NE(first->ids[0], first->ids[1]);
  EXPECT_EQ(first->metadata_directory_id, first->ids[0]);
  const auto second = open_data_directories(env, {"/a", "/b", "/c"}, "/a", 1);
  ASSERT_TRUE(second) << second.error().message();
  EXPECT_FALSE(second->fresh);
  EXPECT_EQ(second->cluster_id, first->cluster_id);
  EXPECT_EQ(second->ids[1], first->ids[1]);
  EXPECT_EQ(read_meta_properties(env.files(), "/c")->cluster_id, first->cluster_id);
}

TEST(DataDirectories, refuses_the_directory_of_another_cluster_or_node) {
  runtime::VirtualEnv env;
  const std::string id = "AAAAAAAAAAAAAAAAAAAAZQ";
  write(env, "/a", "version=1\nnode.id=1\ncluster.id=one\ndirectory.id=" + id + "\n");
  write(env, "/b", "version=1\nnode.id=1\ncluster.id=two\ndirectory.id=" + id + "\n");
  const auto mixed = open_data_directories(env, {"/a", "/b"}, "/a", 1);
  ASSERT_FALSE(mixed);
  EXPECT_NE(mixed.error().subject.find("/b belongs to cluster two"), std::string::npos) << mixed.error().subject;
  const auto node = open_data_directories(env, {"/a"}, "/a", 2);
  ASSERT_FALSE(node);
  EXPECT_NE(node.error().subject.find("belongs to node 1"), std::string::npos) << node.error().subject;
}

TEST(DataDirectories, adopts_no_metadata_log_of_a_cluster_that_nobody_names) {
  runtime::VirtualEnv env;
  ASSERT_TRUE(env.files().make_directories("/a/__cluster_metadata-0"));
  const auto adopted = open_data_directories(env, {"/a"}, "/a", 1);
  ASSERT_FALSE(adopted);
  EXPECT_EQ(adopted.error().code, Errc::corrupt_data);
  EXPECT_NE(adopted.error().subject.find("/a holds a metadata log"), std::string::npos) << adopted.error().subject;
}

TEST(DataDirectories, says_which_directory_cannot_be_written_or_is_in_use) {
  runtime::VirtualEnv env;
  env.memory_files().fail_next(runtime::FileOperation::make_directories, "/ro", Errc::io_error);
  const auto read_only = open_data_directories(env, {"/ro"}, "/ro", 1);
  ASSERT_FALSE(read_only);
  EXPECT_NE(read_only.error().subject.find("/ro"), std::string::npos);
  env.memory_files().fail_next(runtime::FileOperation::write, "/full/meta.properties.tmp", Errc::io_error);
  const auto full = open_data_directories(env, {"/full"}, "/full", 1);
  ASSERT_FALSE(full);
  EXPECT_NE(full.error().subject.find("data directory /full cannot be written"), std::string::npos);
  const auto holder = open_data_directories(env, {"/a"}, "/meta", 1);
  ASSERT_TRUE(holder) << holder.error().message();
  const auto other = open_data_directories(env, {"/a"}, "/meta", 1);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Errc::locked);
  EXPECT_NE(other.error().subject.find("/meta"), std::string::npos);
}

}  // namespace
}  // namespace barnabas::metadata
