#include "tunnelmgr/secure/certificate.hpp"

#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include "tunnelmgr/secure/public_key.hpp"

namespace hearthcast::secure {
namespace {

CertificateHandle certificate_with(const std::vector<std::string>& names) {
  return make_certificate(make_identity(), names);
}

// A box without a battery starts in 1970; a certificate must be good there, and on any later day.
TEST(Certificate, IsValidFromTheFirstSecondToTheLastYear) {
  const CertificateHandle certificate = certificate_with({});
  ASSERT_TRUE(certificate);
  time_t first = 1;
  time_t last = 253'402'300'798;  // a second before the year 10,000
  EXPECT_LT(X509_cmp_time(X509_get0_notBefore(certificate.get()), &first), 0);
  EXPECT_GT(X509_cmp_time(X509_get0_notAfter(certificate.get()), &last), 0);
}

TEST(Certificate, CarriesTheIdentitysKeyAndIsSignedByIt) {
  const OpenSslIdentity identity = make_identity();
  const CertificateHandle certificate = make_certificate(identity);
  ASSERT_TRUE(certificate);
  EXPECT_EQ(identity_of(*certificate), identity.id());
  EXPECT_EQ(X509_verify(certificate.get(), identity.key().get()), 1);
}

TEST(Certificate, NamesItsHostsAndTakesNoSyntaxFromThem) {
  const CertificateHandle certificate =
      certificate_with({"box.local", "192.0.2.1", "2001:db8::1", "evil,DNS:bank.example", ""});
  ASSERT_TRUE(certificate);
  const auto is_host = [&](const char* name) {
    return X509_check_host(certificate.get(), name, 0, 0, nullptr);
  };
  EXPECT_EQ(is_host("box.local"), 1);
  EXPECT_EQ(is_host("bank.example"), 0);
  EXPECT_EQ(X509_check_ip_asc(certificate.get(), "192.0.2.1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(certificate.get(), "2001:db8::1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(certificate.get(), "192.0.2.2", 0), 0);
}

}  // namespace
}  // namespace hearthcast::secure
