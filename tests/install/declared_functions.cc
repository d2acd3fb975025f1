// Prints the functions that headers declare and leave to the library, by their symbols: one a line. It reads
// what `clang++ -fsyntax-only -Xclang -ast-dump=json` says of them.

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace {

using Json = nlohmann::json;

const std::set<std::string> kFunctions = {"FunctionDecl", "CXXMethodDecl", "CXXConstructorDecl",
                                          "CXXDestructorDecl", "CXXConversionDecl"};
const std::set<std::string> kTemplates = {"ClassTemplateDecl", "FunctionTemplateDecl",
                                          "ClassTemplatePartialSpecializationDecl"};

std::string text(const Json& node, const char* key) {
  return node.value(key, std::string());
}

Json inner(const Json& node) {
  return node.value("inner", Json::array());
}

bool has_body(const Json& function) {
  const Json parts = inner(function);
  return std::any_of(parts.begin(), parts.end(),
                     [](const Json& part) { return text(part, "kind") == "CompoundStmt"; });
}

/// What a program's own compiler makes, the library need not have.
bool left_to_the_library(const Json& function) {
  for (const char* made_here :
       {"isImplicit", "inline", "constexpr", "explicitlyDeleted", "explicitlyDefaulted"}) {
    if (function.contains(made_here)) return false;
  }
  return !has_body(function);
}

void visit(const Json& node) {
  const std::string kind = text(node, "kind");
  if (kTemplates.contains(kind)) return;
  if (kFunctions.contains(kind)) {
    if (left_to_the_library(node)) std::puts(text(node, "mangledName").c_str());
    return;
  }
  bool usable = text(node, "tagUsed") != "class";
  for (const Json& part : inner(node)) {
    if (text(part, "kind") == "AccessSpecDecl") usable = text(part, "access") != "private";
    if (usable) visit(part);
  }
}

}  // namespace

int main() {
  // One document after the other.
  while (std::cin >> std::ws && !std::cin.eof()) {
    Json declaration;
    std::cin >> declaration;
    visit(declaration);
  }
}
