#include "rendezvous-server/app/operator_cli.hpp"

#include <CLI/CLI.hpp>

#include "rendezvous-server/app/backup.hpp"
#include "rendezvous-server/app/operator_commands.hpp"

namespace hearthcast::rendezvous {
namespace {

// What one subcommand reads; shared by its callbacks, which live as long as the command line.
struct Given {
  OperatorRequest request;
  std::string owner;
  std::uint64_t uses = 0;
  std::uint64_t days = 0;
  bool json = false;
  bool flag = false;
};
using Shared = std::shared_ptr<Given>;

void list(CLI::App& parent, Chosen& chosen, const char* help, const char* what, bool by_owner) {
  CLI::App* const sub = parent.add_subcommand("list", help);
  const Shared given = std::make_shared<Given>();
  sub->add_flag("--json", given->json, "As JSON");
  if (by_owner) {
    sub->add_option("--owner", given->owner, "Only those of this owner");
  }
  sub->callback([given, what, &chosen] {
    chosen = [given, what](const AppSettings& s) { return print_list(s, what, given->owner, given->json); };
  });
}

// A change with texts that have to be given, in order.
CLI::App* simple(CLI::App& parent, Chosen& chosen, const char* name, const char* path, const char* help,
                 const std::vector<std::pair<const char*, const char*>>& arguments, const Shared& given) {
  CLI::App* const sub = parent.add_subcommand(name, help);
  given->request.path = path;
  for (const auto& [argument, meaning] : arguments) {
    sub->add_option(argument, given->request.texts[argument], meaning)->required();
  }
  sub->callback([given, &chosen] {
    chosen = [given](const AppSettings& s) { return change(s, given->request, given->json); };
  });
  return sub;
}

constexpr const char* kBoxMeaning = "Its name, or at least six digits of its id";

}  // namespace

void declare_box(CLI::App& box, Chosen& chosen) {
  box.require_subcommand(1);
  list(box, chosen, "Show the boxes that are enrolled", "boxes", true);
  const auto given = [] { return std::make_shared<Given>(); };
  simple(box, chosen, "name", "/boxes/name", "Call a box something, for lists; an empty name takes it away",
         {{"box", kBoxMeaning}, {"name", "Its new name"}}, given());
  simple(box, chosen, "move", "/boxes/move", "Put a box under an owner; \"\" for none",
         {{"box", kBoxMeaning}, {"owner", "The owner's name"}}, given());
  simple(box, chosen, "close", "/boxes/close", "Send a box away and let it in no more",
         {{"box", kBoxMeaning}, {"reason", "Why; the box's owner is told"}}, given());
  simple(box, chosen, "open", "/boxes/open", "Let a closed box in again", {{"box", kBoxMeaning}}, given());
  simple(box, chosen, "forget", "/boxes/forget", "Take a box out of the directory; it has to enrol again",
         {{"box", kBoxMeaning}}, given());
}

void declare_owner(CLI::App& owner, Chosen& chosen) {
  owner.require_subcommand(1);
  list(owner, chosen, "Show the owners", "owners", false);
  simple(owner, chosen, "add", "/owners/add", "Make an owner", {{"name", "What he is called"}},
         std::make_shared<Given>());
  simple(owner, chosen, "remove", "/owners/remove", "Remove an owner; his boxes stay enrolled, with none",
         {{"name", "The owner's name"}}, std::make_shared<Given>());
}

void declare_token(CLI::App& token, Chosen& chosen) {
  token.require_subcommand(1);
  list(token, chosen, "Show the enrolment tokens; what they are is not kept", "tokens", true);
  const auto given = std::make_shared<Given>();
  CLI::App* const add = token.add_subcommand("add", "Make an enrolment token, and print it this once");
  add->add_option("--uses", given->uses, "How many boxes it lets in; without: any number")
      ->check(CLI::Range(1, 1000000));
  add->add_option("--days", given->days, "How long it is good; without: until it is revoked")
      ->check(CLI::Range(1, 3660));
  add->add_option("--owner", given->request.texts["owner"], "Whose the boxes become");
  add->add_option("--note", given->request.texts["note"], "For you: what it is for");
  add->add_flag("--json", given->json, "As JSON");
  add->callback([given, &chosen] {
    given->request.path = "/tokens/add";
    for (const auto& [name, number] : {std::pair("uses", given->uses), std::pair("days", given->days)}) {
      if (number > 0) {
        given->request.numbers[name] = number;
      }
    }
    chosen = [given](const AppSettings& s) { return change(s, given->request, given->json); };
  });
  const auto revoked = std::make_shared<Given>();
  revoked->request.path = "/tokens/revoke";
  CLI::App* const revoke = token.add_subcommand("revoke", "Make a token good for nothing; its boxes stay");
  revoke->add_option("token", revoked->request.numbers["id"], "Its number, as the list shows it")
      ->required()
      ->check(CLI::Range(1, 1000000000));
  revoke->callback([revoked, &chosen] {
    chosen = [revoked](const AppSettings& s) { return change(s, revoked->request, false); };
  });
}

void declare_drain(CLI::App& sub, Chosen& chosen) {
  const auto given = std::make_shared<Given>();
  auto& over = given->request.numbers["over"] = 60;
  auto& retry = given->request.numbers["retry"] = 30;
  sub.add_option("--over", over, "Seconds over which clients are sent away (60)")->check(CLI::Range(0, 3600));
  sub.add_option("--retry", retry, "Seconds that they stay away at least, at most twice that (30)")
      ->check(CLI::Range(0, 3600));
  sub.add_flag("--no-wait", given->flag, "Do not wait until none is left");
  sub.callback([given, &chosen] {
    chosen = [given](const AppSettings& s) {
      return drain(s, given->request.numbers["over"], given->request.numbers["retry"], !given->flag);
    };
  });
}

void declare_resume(CLI::App& sub, Chosen& chosen) {
  sub.callback([&chosen] {
    chosen = [](const AppSettings& s) { return change(s, {"/resume", {}, {}}, false); };
  });
}

void declare_backup(CLI::App& sub, Chosen& chosen) {
  const auto folder = std::make_shared<std::string>();
  sub.add_option("folder", *folder, "A folder that is new or empty")->required();
  sub.callback(
      [folder, &chosen] { chosen = [folder](const AppSettings& s) { return back_up(s, *folder); }; });
}

void declare_restore(CLI::App& sub, Chosen& chosen) {
  const auto folder = std::make_shared<std::string>();
  sub.add_option("folder", *folder, "What `backup` wrote")->required();
  sub.callback(
      [folder, &chosen] { chosen = [folder](const AppSettings& s) { return restore(s, *folder); }; });
}

}  // namespace hearthcast::rendezvous
