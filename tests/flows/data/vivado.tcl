# Implements jets on xcvu9p-flgb2104-2-i, out of context unless told otherwise.
# Run: vivado -mode batch -source vivado.tcl [-tclargs [in_context] [luts]]
# luts reads LUT cells in place of expressions, which Vivado would map anew, so that the LUTs stay
# those that nnlogic found; "nnlogic synth RUN" for a target of the vendor writes them to synth/rtl.
set here [file dirname [file normalize [info script]]]
set context [expr {"in_context" in $argv ? "default" : "out_of_context"}]
set out [file join $here vivado jets $context]
file mkdir $out

set sources [list \
  [file join $here {../rtl/jets.v}] \
]
if {"luts" in $argv} {
  set found 0
  foreach source $sources {
    set cells [file join $here .. synth rtl [file tail $source]]
    if {[file exists $cells]} {
      incr found
      set source $cells
    }
    lappend chosen $source
  }
  if {!$found} {error "no LUT cells in synth/rtl: run nnlogic synth first"}
  set sources $chosen
}
read_verilog $sources
read_xdc [file join $here timing.xdc]

synth_design -top jets -part {xcvu9p-flgb2104-2-i} -mode $context \
  -flatten_hierarchy rebuilt -fanout_limit 400 -fsm_extraction one_hot \
  -keep_equivalent_registers -resource_sharing off -no_lc -shreg_min_size 5
report_utilization -file [file join $out synth_utilization.rpt]

opt_design
place_design
phys_opt_design
route_design

report_utilization -file [file join $out utilization.rpt]
report_utilization -hierarchical -file [file join $out utilization_modules.rpt]
report_timing_summary -file [file join $out timing_summary.rpt]
report_timing -max_paths 10 -file [file join $out timing_paths.rpt]
write_checkpoint -force [file join $out routed.dcp]

set path [get_timing_paths -max_paths 1 -nworst 1 -setup]
set period [get_property PERIOD [get_clocks clk]]
set slack [get_property SLACK $path]
puts [format "Fmax %.1f MHz (period %.3f ns, slack %.3f ns)" \
  [expr {1000.0 / ($period - $slack)}] $period $slack]
