// Four threads that allocate in malloc arenas of their own, and count in a map that they share.
#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <vector>
std::mutex m;
std::map<int, int> counts;
std::atomic<int> done{0};
void work(int id) {
  std::vector<int> mine;
  for (int i = 0; i < 200; i++) {
    mine.push_back(i * id);
    if (i % 20 == 0) {
      std::lock_guard<std::mutex> guard(m);
      counts[i] += mine.back();
    }
  }
  done++;
}
int main() {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) threads.emplace_back(work, i);
  for (auto &thread : threads) thread.join();
  return counts.size() != 10 || done != 4;
}
