// A plug-in of clang-tidy: its checks walk through our own code only, and not through every header of the
// system that a file includes, where nothing that they find is ever told. Same findings, a third of the time.
#include <clang-tidy/ClangTidyCheck.h>
#include <clang-tidy/ClangTidyModule.h>
#include <clang-tidy/ClangTidyModuleRegistry.h>
#include <clang/AST/ASTContext.h>
#include <clang/ASTMatchers/ASTMatchFinder.h>

#include <vector>

namespace {

// Finds nothing itself. The translation unit is matched first of all, and its children are visited only after
// that: as many of them as the traversal scope then has.
class OwnCode : public clang::tidy::ClangTidyCheck {
 public:
  using ClangTidyCheck::ClangTidyCheck;

  void registerMatchers(clang::ast_matchers::MatchFinder* finder) override {
    finder->addMatcher(clang::ast_matchers::translationUnitDecl().bind("unit"), this);
  }

  void check(const clang::ast_matchers::MatchFinder::MatchResult& result) override {
    std::vector<clang::Decl*> own;
    for (clang::Decl* declaration : result.Context->getTranslationUnitDecl()->decls()) {
      const auto at = result.SourceManager->getExpansionLoc(declaration->getLocation());
      if (at.isValid() && !result.SourceManager->isInSystemHeader(at)) {
        own.push_back(declaration);
      }
    }
    result.Context->setTraversalScope(own);
  }
};

class Module : public clang::tidy::ClangTidyModule {
 public:
  void addCheckFactories(clang::tidy::ClangTidyCheckFactories& factories) override {
    factories.registerCheck<OwnCode>("hearthcast-own-code");
  }
};

const clang::tidy::ClangTidyModuleRegistry::Add<Module> kAdded("hearthcast", "Checks of this project.");

}  // namespace
