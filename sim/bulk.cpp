// Streams rows through a Verilated core, one per clock, and writes what comes out.
// Usage: bulk INPUT OUTPUT ROWS LATENCY; files hold little-endian uint64 codes, row by row.

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "Vcore.h"
#include "verilated.h"
#include "ports.h"  // N_IN, N_OUT, load(), store()

static int fail(const char* what, uint64_t clock) {
    std::fprintf(stderr, "FAIL: %s at clock %" PRIu64 "\n", what, clock);
    return 1;
}

static void edge(Vcore* core) {
    core->clk = 1;
    core->eval();
    core->clk = 0;
    core->eval();
}

int main(int argc, char** argv) {
    if (argc != 5) return fail("need INPUT OUTPUT ROWS LATENCY", 0);
    const uint64_t rows = std::strtoull(argv[3], nullptr, 10);
    const uint64_t latency = std::strtoull(argv[4], nullptr, 10);
    std::vector<uint64_t> in(rows * N_IN), out(rows * N_OUT);
    std::FILE* file = std::fopen(argv[1], "rb");
    if (!file) return fail("cannot open the input file", 0);
    const size_t got = std::fread(in.data(), 8 * N_IN, rows, file);
    std::fclose(file);
    if (got != rows) return fail("input file too short", got);

    VerilatedContext context;
    context.randReset(2);  // registers start with random values
    Vcore core{&context};
    core.clk = 0;
    core.rst = 1;
    core.in_valid = 0;
    core.eval();
    for (int i = 0; i < 4; i++) edge(&core);
    core.rst = 0;

    for (uint64_t clock = 0; clock < rows + latency; clock++) {
        core.in_valid = clock < rows;
        if (clock < rows) load(&core, &in[clock * N_IN]);
        core.eval();
        const bool expected = clock >= latency;
        if (core.out_valid != expected) return fail("out_valid is wrong", clock);
        if (expected) store(&core, &out[(clock - latency) * N_OUT]);
        edge(&core);
    }
    core.final();

    file = std::fopen(argv[2], "wb");
    if (!file) return fail("cannot open the output file", 0);
    const size_t put = std::fwrite(out.data(), 8 * N_OUT, rows, file);
    if (std::fclose(file) || put != rows) return fail("cannot write the output file", put);
    std::printf("PASS rows=%" PRIu64 "\n", rows);
    return 0;
}
