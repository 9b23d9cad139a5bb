// A host on the serial line of a Verilated board: sends frames, takes what comes back.
// Usage: board INPUT OUTPUT PERIOD PRESS FAULT REST MOST
// INPUT: for each frame "BYTES ANSWER MISSING HEX": the lengths of frame and answer; it is sent when so
// many answers are missing, or fewer. PERIOD: clocks of a bit, as the host counts them, a fraction.
// PRESS: clock at which the button is pressed for a while, or 0. FAULT: the wire that is inverted, from
// 1 on, after the self-test of the start, or 0.
// REST: clocks to run after the last byte. MOST: clocks to run at most.
// OUTPUT: the bytes that came back; stdout: the lamps at the end.

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "Vboard.h"
#include "verilated.h"

static const int START = 3000;

struct Frame {
    std::vector<uint8_t> bytes;
    unsigned missing;
    uint64_t owed;  // bytes of all answers up to this frame's own
};

int main(int argc, char** argv) {
    if (argc != 8) return std::fprintf(stderr, "FAIL: arguments\n"), 1;
    const double period = std::atof(argv[3]);
    const uint64_t press = std::strtoull(argv[4], nullptr, 10);
    const uint64_t fault = std::strtoull(argv[5], nullptr, 10);
    const uint64_t rest = std::strtoull(argv[6], nullptr, 10);
    const uint64_t most = std::strtoull(argv[7], nullptr, 10);
    std::vector<Frame> frames;
    std::FILE* file = std::fopen(argv[1], "r");
    if (!file) return std::fprintf(stderr, "FAIL: no input\n"), 1;
    unsigned bytes, answer, missing;
    uint64_t owed = 0;
    while (std::fscanf(file, "%u %u %u", &bytes, &answer, &missing) == 3) {
        Frame frame;
        for (unsigned i = 0; i < bytes; i++) {
            unsigned byte;
            if (std::fscanf(file, "%2x", &byte) != 1) return std::fprintf(stderr, "FAIL: input\n"), 1;
            frame.bytes.push_back(uint8_t(byte));
        }
        frame.missing = missing;
        frame.owed = owed += answer;
        frames.push_back(frame);
    }
    std::fclose(file);

    VerilatedContext context;
    context.randReset(2);
    Vboard board{&context};
    board.clk = 0;
    board.rx = 1;
    board.button = 0;
    board.fault = 0;
    std::vector<uint8_t> got;
    size_t at = 0, byte = 0;      // what is sent next
    double sent = -1, heard = -1; // clock at which a byte began, negative between bytes
    unsigned heard_bits = 0, heard_count = 0;
    uint64_t quiet_since = 0;
    uint64_t clock = 0;
    for (; clock < most; clock++) {
        board.fault = fault && clock >= START ? 1u << (fault - 1) : 0;
        board.button = press && clock >= press && clock < press + 100;
        if (sent < 0 && at < frames.size() && clock > START) {
            const size_t before = at < frames[at].missing ? 0 : at - frames[at].missing;
            const bool may = byte > 0 || before == 0 || got.size() >= frames[before - 1].owed;
            if (may) sent = double(clock);
        }
        board.rx = 1;
        if (sent >= 0) {
            const int bit = int((double(clock) - sent) / period);
            const unsigned wire = 0x200u | unsigned(frames[at].bytes[byte]) << 1;
            if (bit < 10) board.rx = wire >> bit & 1;
            else {
                sent = -1;
                if (++byte == frames[at].bytes.size()) byte = 0, at++;
            }
        }
        board.clk = 1;
        board.eval();
        board.clk = 0;
        board.eval();
        if (heard < 0) {
            if (!board.tx && clock > START / 2) heard = double(clock), heard_bits = heard_count = 0;
        } else if (double(clock) - heard >= (heard_count + 0.5) * period) {
            heard_bits |= unsigned(board.tx) << heard_count;
            if (++heard_count == 10) {
                if ((heard_bits & 1) || !(heard_bits >> 9)) {
                    return std::fprintf(stderr, "FAIL: no start or stop bit\n"), 1;
                }
                got.push_back(uint8_t(heard_bits >> 1));
                heard = -1;
            }
        }
        if (heard >= 0 || sent >= 0 || at < frames.size() || got.size() < owed) quiet_since = clock;
        if (clock - quiet_since > rest) break;
    }
    board.final();
    file = std::fopen(argv[2], "wb");
    if (!file) return std::fprintf(stderr, "FAIL: output\n"), 1;
    std::fwrite(got.data(), 1, got.size(), file);
    if (std::fclose(file)) return std::fprintf(stderr, "FAIL: output\n"), 1;
    std::printf("LAMPS %d %d CLOCKS %llu\n", int(board.passed), int(board.failed),
                (unsigned long long)clock);
    return 0;
}
