// The settings of TLS and SASL: refused until they act, because a client that ignored them would talk in the clear.
#include "client/core/security_config.h"

#include <array>

namespace barnabas::client {
namespace {

using runtime::ConfigImportance;
using runtime::ConfigType;

constexpr const char* kNone = nullptr;

struct Row {
  const char* name;
  ConfigType type;
  const char* default_value;
  ConfigImportance importance;
  const char* doc;
};

constexpr std::array kRows = std::to_array<Row>({
    {"sasl.client.callback.handler.class", ConfigType::class_name, kNone, ConfigImportance::medium,
     "Part of SASL authentication."},
    {"sasl.jaas.config", ConfigType::password, kNone, ConfigImportance::medium,
     "User name and password, in the form of a JAAS line."},
    {"sasl.kerberos.kinit.cmd", ConfigType::string, "{bin}/kinit", ConfigImportance::low,
     "Part of authentication by Kerberos."},
    {"sasl.kerberos.min.time.before.relogin", ConfigType::long_integer, "60000", ConfigImportance::low,
     "Part of authentication by Kerberos."},
    {"sasl.kerberos.service.name", ConfigType::string, kNone, ConfigImportance::medium,
     "Part of authentication by Kerberos."},
    {"sasl.kerberos.ticket.renew.jitter", ConfigType::floating, "0.05", ConfigImportance::low,
     "Part of authentication by Kerberos."},
    {"sasl.kerberos.ticket.renew.window.factor", ConfigType::floating, "0.8", ConfigImportance::low,
     "Part of authentication by Kerberos."},
    {"sasl.login.callback.handler.class", ConfigType::class_name, kNone, ConfigImportance::medium,
     "How often and how long a login is renewed or tried."},
    {"sasl.login.class", ConfigType::class_name, kNone, ConfigImportance::medium,
     "How often and how long a login is renewed or tried."},
    {"sasl.login.connect.timeout.ms", ConfigType::integer, kNone, ConfigImportance::low,
     "How often and how long a login is renewed or tried."},
    {"sasl.login.read.timeout.ms", ConfigType::integer, kNone, ConfigImportance::low,
     "How often and how long a login is renewed or tried."},
    {"sasl.login.refresh.buffer.seconds", ConfigType::short_integer, "300", ConfigImportance::low,
     "How often and how long a login is renewed or tried."},
    {"sasl.login.refresh.min.period.seconds", ConfigType::short_integer, "60", ConfigImportance::low,
     "How often and how long a login is renewed or tried."},
    {"sasl.login.refresh.window.factor", ConfigType::floating, "0.8", ConfigImportance::low,
     "How often and how long a login is renewed or tried."},
    {"sasl.login.refresh.window.jitter", ConfigType::floating, "0.05", ConfigImportance::low,
     "How often and how long a login is renewed or tried."},
    {"sasl.login.retry.backoff.max.ms", ConfigType::long_integer, "10000", ConfigImportance::low,
     "How often and how long a login is renewed or tried."},
    {"sasl.login.retry.backoff.ms", ConfigType::long_integer, "100", ConfigImportance::low,
     "How often and how long a login is renewed or tried."},
    {"sasl.mechanism", ConfigType::string, "GSSAPI", ConfigImportance::medium, "How the client proves who it is."},
    {"sasl.oauthbearer.assertion.algorithm", ConfigType::string, "RS256", ConfigImportance::medium,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.assertion.claim.aud", ConfigType::string, kNone, ConfigImportance::medium,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.assertion.claim.exp.seconds", ConfigType::integer, "300", ConfigImportance::low,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.assertion.claim.iss", ConfigType::string, kNone, ConfigImportance::medium,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.assertion.claim.jti.include", ConfigType::boolean, "false", ConfigImportance::medium,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.assertion.claim.nbf.seconds", ConfigType::integer, "60", ConfigImportance::low,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.assertion.claim.sub", ConfigType::string, kNone, ConfigImportance::medium,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.assertion.file", ConfigType::string, kNone, ConfigImportance::medium,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.assertion.private.key.file", ConfigType::string, kNone, ConfigImportance::medium,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.assertion.private.key.passphrase", ConfigType::password, kNone, ConfigImportance::medium,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.assertion.template.file", ConfigType::string, kNone, ConfigImportance::medium,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.client.credentials.client.id", ConfigType::string, kNone, ConfigImportance::medium,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.client.credentials.client.secret", ConfigType::password, kNone, ConfigImportance::medium,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.clock.skew.seconds", ConfigType::integer, "30", ConfigImportance::low,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.expected.audience", ConfigType::list, "", ConfigImportance::high,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.expected.issuer", ConfigType::string, kNone, ConfigImportance::high,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.header.urlencode", ConfigType::boolean, "false", ConfigImportance::low,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.jwks.endpoint.refresh.ms", ConfigType::long_integer, "3600000", ConfigImportance::low,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", ConfigType::long_integer, "10000", ConfigImportance::low,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", ConfigType::long_integer, "100", ConfigImportance::low,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.jwks.endpoint.url", ConfigType::string, kNone, ConfigImportance::medium,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.jwt.retriever.class", ConfigType::class_name,
     "org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever", ConfigImportance::medium,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.jwt.validator.class", ConfigType::class_name,
     "org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator", ConfigImportance::medium,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.scope", ConfigType::string, kNone, ConfigImportance::medium,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.scope.claim.name", ConfigType::string, "scope", ConfigImportance::low,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.sub.claim.name", ConfigType::string, "sub", ConfigImportance::low,
     "Part of authentication by OAuth tokens."},
    {"sasl.oauthbearer.token.endpoint.url", ConfigType::string, kNone, ConfigImportance::medium,
     "Part of authentication by OAuth tokens."},
    {"ssl.cipher.suites", ConfigType::list, "", ConfigImportance::low, "Ciphers that may be used."},
    {"ssl.enabled.protocols", ConfigType::list, "TLSv1.2,TLSv1.3", ConfigImportance::medium,
     "TLS versions that may be used."},
    {"ssl.endpoint.identification.algorithm", ConfigType::string, "https", ConfigImportance::low,
     "How the broker's name is checked against its certificate; empty turns the check off."},
    {"ssl.engine.factory.class", ConfigType::class_name, kNone, ConfigImportance::low, "Part of TLS."},
    {"ssl.key.password", ConfigType::password, kNone, ConfigImportance::high, "Opens the key or certificate file."},
    {"ssl.keymanager.algorithm", ConfigType::string, "SunX509", ConfigImportance::low, "Part of TLS."},
    {"ssl.keystore.certificate.chain", ConfigType::password, kNone, ConfigImportance::high,
     "The client's certificate, as PEM text."},
    {"ssl.keystore.key", ConfigType::password, kNone, ConfigImportance::high, "The client's private key, as PEM text."},
    {"ssl.keystore.location", ConfigType::string, kNone, ConfigImportance::high,
     "File with the key and certificate that the client shows."},
    {"ssl.keystore.password", ConfigType::password, kNone, ConfigImportance::high,
     "Opens the key or certificate file."},
    {"ssl.keystore.type", ConfigType::string, "JKS", ConfigImportance::medium, "Part of TLS."},
    {"ssl.protocol", ConfigType::string, "TLSv1.3", ConfigImportance::medium, "Part of TLS."},
    {"ssl.provider", ConfigType::string, kNone, ConfigImportance::medium, "Part of TLS."},
    {"ssl.secure.random.implementation", ConfigType::string, kNone, ConfigImportance::low, "Part of TLS."},
    {"ssl.trustmanager.algorithm", ConfigType::string, "PKIX", ConfigImportance::low, "Part of TLS."},
    {"ssl.truststore.certificates", ConfigType::password, kNone, ConfigImportance::high,
     "Certificates that are believed, as PEM text."},
    {"ssl.truststore.location", ConfigType::string, kNone, ConfigImportance::high,
     "File with the certificates that are believed."},
    {"ssl.truststore.password", ConfigType::password, kNone, ConfigImportance::high,
     "Opens the key or certificate file."},
    {"ssl.truststore.type", ConfigType::string, "JKS", ConfigImportance::medium, "Part of TLS."},
});

}  // namespace

std::vector<runtime::ConfigDef> security_config_rows() {
  std::vector<runtime::ConfigDef> rows;
  for (const Row& row : kRows) {
    runtime::ConfigDef def;
    def.name = row.name;
    def.type = row.type;
    if (row.default_value != kNone) def.default_value = row.default_value;
    def.importance = row.importance;
    def.doc = row.doc;
    def.status = runtime::ConfigStatus::refused;
    def.differs = "TLS and SASL are not there yet";
    rows.push_back(std::move(def));
  }
  return rows;
}

}  // namespace barnabas::client
