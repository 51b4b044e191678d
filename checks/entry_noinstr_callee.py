# SPDX-License-Identifier: GPL-2.0-or-later
"""A noinstr function calls what can be traced."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    traced, place = context.detail
    call = context.event.steps[0].text
    through = "" if call == f"{traced}()" else f" through {call}"
    return Report(
        subject=traced,
        message=f"{traced}() can be instrumented and is called{through} {place}",
        question=f"{context.function}() must not be traced, and {traced}() can be. Can it be called{through} there?",
        was=f"{traced}() was called{through} {place}",
        consequence="A tracer or debugger that hooks the call runs before the kernel is ready for it.",
    )


CHECK = Check(
    id="entry-noinstr-callee",
    area="entry",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="Outside instrumentation_begin() and _end(), noinstr code calls only noinstr or __always_inline functions.",
    why="Before RCU watches and after it stopped no instrumentation may run: it would use RCU, or take an exception.",
    events=frozenset({EventKind.INSTRUMENTED}),
    judge=judge,
    sources=(
        Source(
            "Documentation/core-api/entry.rst",
            "Such code must be marked with the 'noinstr'",
            "Non-instrumentable code - noinstr",
        ),
        Source(
            "Documentation/core-api/entry.rst",
            "special section inaccessible to instrumentation and debug facilities",
            "Non-instrumentable code - noinstr",
        ),
    ),
    wrong=(
        """
        static noinline void count_trap(struct pt_regs *regs) { regs->seen++; }
        noinstr void handle_trap(struct pt_regs *regs)
        {
                count_trap(regs); /* wrong */
        }
        """,
        """
        static __always_inline int __cpu_mode(struct mode *mode) { return mode->value; }
        static inline int cpu_mode(struct mode *mode)
        {
                int value;

                preempt_disable();
                value = __cpu_mode(mode);
                preempt_enable();
                return value;
        }
        static __always_inline void enter(struct mode *mode)
        {
                WARN_ON_ONCE(cpu_mode(mode) != 1); /* wrong */
                instrumentation_begin();
                trace_enter(cpu_mode(mode));
                instrumentation_end();
        }
        """,
        """
        DEFINE_IDTENTRY_RAW(exc_strange_trap)
        {
                pr_err("strange\\n"); /* wrong */
        }
        """,
        """
        /* Before the patch: */
        static __always_inline int firmware_sleep(u32 state) { return state; }
        static struct firmware_ops ops;
        void probe(void)
        {
                ops.sleep = firmware_sleep;
        }
        static noinstr int finish(u32 state)
        {
                return ops.sleep(state);
        }
        int enter_idle(u32 state)
        {
                int ret;

                ct_cpuidle_enter();
                ret = save_and_call(state, finish);
                ct_cpuidle_exit();
                return ret;
        }
        /* After it: */
        static int firmware_sleep(u32 state) { return state; } /* wrong */
        static struct firmware_ops ops;
        void probe(void)
        {
                ops.sleep = firmware_sleep;
        }
        static noinstr int finish(u32 state)
        {
                return ops.sleep(state);
        }
        int enter_idle(u32 state)
        {
                int ret;

                ct_cpuidle_enter();
                ret = save_and_call(state, finish);
                ct_cpuidle_exit();
                return ret;
        }
        """,
        """
        /* Before the patch: */
        noinstr int finish(u32 state) { return state; }
        int enter_idle(u32 state)
        {
                int ret;

                ct_cpuidle_enter();
                ret = save_and_call(state, finish);
                ct_cpuidle_exit();
                return ret;
        }
        /* After it: */
        int finish(u32 state) { return state; } /* wrong */
        int enter_idle(u32 state)
        {
                int ret;

                ct_cpuidle_enter();
                ret = save_and_call(state, finish);
                ct_cpuidle_exit();
                return ret;
        }
        """,
        """
        /* Before the patch: */
        noinstr void warn_bogus(void) { instrumentation_begin(); pr_err("bogus\\n"); instrumentation_end(); }
        #define check_bogus() do { if (!irqs_off()) warn_bogus(); } while (0)
        #define restore_state(flags) \\
                do { check_bogus(); write_flags(flags); } while (0)
        noinstr void leave_idle(unsigned long flags)
        {
                restore_state(flags);
        }
        /* After it: */
        void warn_bogus(void) { pr_err("bogus\\n"); } /* wrong */
        #define check_bogus() do { if (!irqs_off()) warn_bogus(); } while (0)
        #define restore_state(flags) \\
                do { check_bogus(); write_flags(flags); } while (0)
        noinstr void leave_idle(unsigned long flags)
        {
                restore_state(flags);
        }
        """,
    ),
    right=(
        """
        /* Before the patch: */
        noinstr void warn_bogus(void) { instrumentation_begin(); pr_err("bogus\\n"); instrumentation_end(); }
        #define check_bogus() do { if (!irqs_off()) warn_bogus(); } while (0)
        noinstr void leave_idle(unsigned long flags)
        {
                instrumentation_begin();
                check_bogus();
                instrumentation_end();
        }
        void leave(unsigned long flags)
        {
                check_bogus();
        }
        /* After it: */
        void warn_bogus(void) { pr_err("bogus\\n"); }
        #define check_bogus() do { if (!irqs_off()) warn_bogus(); } while (0)
        noinstr void leave_idle(unsigned long flags)
        {
                instrumentation_begin();
                check_bogus();
                instrumentation_end();
        }
        void leave(unsigned long flags)
        {
                check_bogus();
        }
        """,
        """
        static int firmware_sleep(u32 state) { return state; }
        static struct firmware_ops ops;
        void probe(void)
        {
                ops.sleep = firmware_sleep;
        }
        static int finish(u32 state)
        {
                return ops.sleep(state);
        }
        int enter_idle(u32 state)
        {
                int ret;

                ct_cpuidle_enter();
                ret = save_and_call(state, finish);
                ct_cpuidle_exit();
                return ret;
        }
        """,
        """
        static noinline void count_trap(struct pt_regs *regs) { regs->seen++; }
        static __always_inline void look(struct pt_regs *regs) { regs->looked++; }
        static noinstr void step(struct pt_regs *regs) { regs->step++; }
        noinstr void handle_trap(struct pt_regs *regs)
        {
                look(regs);
                step(regs);
                instrumentation_begin();
                count_trap(regs);
                pr_err("trap\\n");
                instrumentation_end();
        }
        """,
        """
        DEFINE_IDTENTRY_IRQ(device_interrupt)
        {
                handle_device(regs, vector);
        }
        static noinstr void dispatch(struct pt_regs *regs)
        {
                device_interrupt(regs, regs->vector);
        }
        """,
    ),
)
