#include "tunnelmgr/secure/certificate.hpp"

#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "tunnelmgr/base/address.hpp"

namespace hearthcast::secure {
namespace {

bool add_extension(X509& certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &certificate, &certificate, nullptr, nullptr, 0);
  using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(&certificate, extension.get(), -1) == 1;
}

// Names come from settings and from the host; whatever is not plain would be syntax to OpenSSL.
std::string alternative_names(const std::vector<std::string>& names) {
  std::string text = "DNS:hearthcast";
  for (const std::string& name : names) {
    if (IpAddress::parse(name)) {
      text += ",IP:" + name;
    } else if (!name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                       "0123456789-._") == std::string::npos) {
      text += ",DNS:" + name;
    }
  }
  return text;
}

}  // namespace

CertificateHandle make_certificate(const OpenSslIdentity& identity, const std::vector<std::string>& names) {
  CertificateHandle certificate(X509_new());
  std::array<unsigned char, 8> serial{};
  if (!certificate || RAND_bytes(serial.data(), serial.size()) != 1) {
    return nullptr;
  }
  serial[0] &= 0x7f;  // positive
  X509* const c = certificate.get();
  using BigNumber = std::unique_ptr<BIGNUM, Free<BN_free>>;
  const BigNumber number(BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr));
  X509_NAME* const name = X509_get_subject_name(c);
  static constexpr unsigned char kName[] = "Hearthcast";
  const bool made =
      number && X509_set_version(c, X509_VERSION_3) == 1 &&
      BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(c)) != nullptr &&
      ASN1_TIME_set_string_X509(X509_getm_notBefore(c), "19700101000000Z") == 1 &&
      ASN1_TIME_set_string_X509(X509_getm_notAfter(c), "99991231235959Z") == 1 &&
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, kName, sizeof kName - 1, -1, 0) == 1 &&
      X509_set_issuer_name(c, name) == 1 && X509_set_pubkey(c, identity.key().get()) == 1 &&
      add_extension(*c, NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(*c, NID_ext_key_usage, "serverAuth,clientAuth") &&
      add_extension(*c, NID_subject_alt_name, alternative_names(names)) &&
      X509_sign(c, identity.key().get(), EVP_sha256()) > 0;
  ERR_clear_error();
  return made ? std::move(certificate) : nullptr;
}

}  // namespace hearthcast::secure
