from nnlogic.hw.lut.fold import fold_temporaries


def module(*lines):
    return "\n".join(["module m(a);", *(f"  {line}" for line in lines), "endmodule", ""])


def test_a_chain_of_temporaries_becomes_one_expression():
    text = module(
        "wire _0_;",
        "wire _1_;",
        "wire y;",
        "assign y = _1_ | c;",
        "assign _0_ = ~ a;",
        "assign _1_ = _0_ & b;",
    )
    assert fold_temporaries(text) == module("wire y;", "assign y = (~a & b) | c;")


def test_a_temporary_read_twice_or_by_a_cell_stays():
    twice = module("wire _0_;", "wire y;", "assign _0_ = a & b;", "assign y = _0_ ^ (c | _0_);")
    assert fold_temporaries(twice) == twice
    cell = module("wire _0_;", "assign _0_ = a & b;", "sub s (", ".p(_0_)", ");")
    assert fold_temporaries(cell) == cell


def test_nothing_whose_width_depends_on_the_context_is_folded():
    wide = module("wire _0_;", "wire [3:0] y;", "assign _0_ = ~ a;", "assign y = b + _0_;")
    assert fold_temporaries(wide) == wide
    compare = module("wire _0_;", "wire y;", "assign _0_ = a == 2'h1;", "assign y = _0_ & b;")
    assert fold_temporaries(compare) == compare
    part = module("wire _0_;", "wire y;", "assign _0_ = ~ a;", "assign y = { b, _0_ } == 2'h2;")
    assert fold_temporaries(part) == part


def test_modules_do_not_share_temporaries():
    one = module("wire _0_;", "wire y;", "assign _0_ = a & b;", "assign y = _0_ | c;")
    two = module("wire _0_;", "wire y;", "assign _0_ = d ^ e;", "assign y = _0_ | c;")
    folded = fold_temporaries(one + two)
    assert "assign y = (a & b) | c;" in folded
    assert "assign y = (d ^ e) | c;" in folded
