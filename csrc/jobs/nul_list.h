// Texts that stand in one string, a NUL between them: a path has none.
#pragma once

#include <string>
#include <vector>

namespace ioengine {

// At least one piece; an empty string is an empty piece.
inline std::vector<std::string> split_pieces(const std::string& text) {
  std::vector<std::string> pieces;
  size_t start = 0;
  for (size_t end; (end = text.find('\0', start)) != std::string::npos; start = end + 1)
    pieces.push_back(text.substr(start, end - start));
  pieces.push_back(text.substr(start));
  return pieces;
}

inline void append_piece(std::string* text, const std::string& piece) { text->append(piece).push_back('\0'); }

}  // namespace ioengine
