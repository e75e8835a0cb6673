// What the two C++ servers share: their options, and how a server is set up.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

inline std::string Contents(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    std::cerr << path << ": cannot be read\n";
    std::exit(1);
  }
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// `PATH` serves on a Unix socket; `--tls-port N --cert FILE --key FILE` on loopback besides.
inline void Listen(grpc::ServerBuilder& builder, int count, char** words) {
  std::string path, certificate, key, port;
  for (int i = 1; i < count; i++) {
    std::string word = words[i];
    if (word == "--tls-port" && i + 1 < count) {
      port = words[++i];
    } else if (word == "--cert" && i + 1 < count) {
      certificate = Contents(words[++i]);
    } else if (word == "--key" && i + 1 < count) {
      key = Contents(words[++i]);
    } else if (path.empty() && word[0] != '-') {
      path = word;
    } else {
      std::cerr << "usage: " << words[0] << " PATH [--tls-port N --cert FILE --key FILE]\n";
      std::exit(2);
    }
  }
  builder.AddListeningPort("unix:" + path, grpc::InsecureServerCredentials());
  if (!port.empty()) {
    grpc::SslServerCredentialsOptions options;
    options.pem_key_cert_pairs.push_back({key, certificate});
    builder.AddListeningPort("127.0.0.1:" + port, grpc::SslServerCredentials(options));
  }
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 200000);
  builder.SetMaxReceiveMessageSize(16 << 20);
}

inline std::uint64_t WantedCount(const std::string& bytes) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < 8 && i < bytes.size(); i++)
    count |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  return count;
}

inline void Ready() { std::cout << "ready" << std::endl; }
