/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions that are assigned to members: the type that has the member decides in which context, and who calls them. */
struct gate_ops { void (*open)(struct gate *gate); void (*close)(struct gate *gate); };
struct other_ops { void (*open)(struct gate *gate); };
struct inner { struct gate_ops ops; };
struct gate {
	raw_spinlock_t lock;
	spinlock_t pins;
	struct mutex setup;
	struct inner inner[2];
	struct other_ops *other;
	struct clocksource source;
	struct counter { u64 (*read)(struct gate *gate); } counter;
};

static void gate_open(struct gate *gate)
{
	msleep(1);
}

static void gate_close(struct gate *gate)
{
	gate->state = 0;
}

void gate_set_up(struct gate *gate, int which)
{
	struct inner *inner, *first = gate->inner;

	inner = &gate->inner[which];
	inner->ops.open = gate_open;
	gate->inner[1].ops.close = &gate_close;
}

void gate_run(struct gate *gate)
{
	raw_spin_lock(&gate->lock);
	gate->inner[0].ops.open(gate); /* wrong: lock-sleep-in-atomic */
	gate->inner[0].ops.close(gate);
	raw_spin_unlock(&gate->lock);
}

void gate_run_other(struct gate *gate)
{
	raw_spin_lock(&gate->lock);
	gate->other->open(gate);
	raw_spin_unlock(&gate->lock);
}

/* The core calls a member of one structure with a raw lock held, that of another one is nobody's business. */
static u64 source_read(struct clocksource *source)
{
	msleep(1); /* wrong: lock-sleep-in-atomic */
	return 0;
}

static u64 counter_read(struct gate *gate)
{
	msleep(1);
	return 0;
}

/* When a clocksource is suspended nothing else runs, and nothing warns. */
static void source_suspend(struct clocksource *source)
{
	mutex_lock(&source_lock);
	local_irq_disable();
	msleep(1);
	local_irq_enable();
	mutex_unlock(&source_lock);
}

void gate_probe(struct gate *gate)
{
	gate->source.read = source_read;
	gate->source.suspend = source_suspend;
	gate->counter.read = counter_read;
}

/* A chip that does not say that it can sleep may be asked in atomic context. */
static int pin_get(struct gpio_chip *chip, unsigned int offset)
{
	struct gate *gate = gpiochip_get_data(chip);

	mutex_lock(&gate->setup); /* wrong: lock-sleep-in-atomic */
	mutex_unlock(&gate->setup);
	return 0;
}

static void pin_set(struct gpio_chip *chip, unsigned int offset, int value)
{
	struct gate *gate = gpiochip_get_data(chip);

	spin_lock(&gate->pins);
	spin_unlock(&gate->pins);
}

void pin_probe(struct gpio_chip *chip)
{
	chip->get = pin_get;
	chip->set = pin_set;
}

/* Completions run in interrupts. */
static void gate_written(struct bio *bio)
{
	struct gate *gate = bio->bi_private;

	mutex_lock(&gate->setup); /* wrong: lock-sleep-in-atomic */
	mutex_unlock(&gate->setup);
}

static void gate_ready(struct sock *sk)
{
	msleep(1); /* wrong: lock-sleep-in-atomic */
}

static void gate_received(struct gate *gate)
{
	mutex_lock(&gate->setup);
	mutex_unlock(&gate->setup);
}

static void gate_request_done(struct usb_ep *ep, struct usb_request *request)
{
	msleep(1); /* wrong: lock-sleep-in-atomic */
}

static int gate_wake(struct wait_queue_entry *wait, unsigned int mode, int sync, void *key)
{
	msleep(1); /* wrong: lock-sleep-in-atomic */
	return 0;
}

void gate_start(struct gate *gate, struct bio *bio, struct sock *sk, struct usb_request *request)
{
	bio->bi_end_io = gate_written;
	sk->sk_data_ready = gate_ready;
	gate->received = gate_received;
	request->complete = gate_request_done;
	init_waitqueue_func_entry(&gate->wait, gate_wake);
}
