/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls through a member: which structure it is a member of decides what is called. */
struct slow_ops { void (*finish)(void *object); };
struct quick_ops { void (*finish)(void *object); };
struct part { raw_spinlock_t lock; struct slow_ops *slow; struct quick_ops *quick; void (*finish)(struct part *part); };

static void finish_slowly(void *object)
{
	msleep(1);
}

static struct slow_ops slow_ops = {
	.finish = finish_slowly,
};

void call_of_the_structure(struct part *part)
{
	raw_spin_lock(&part->lock);
	part->slow->finish(part); /* wrong: lock-sleep-in-atomic */
	raw_spin_unlock(&part->lock);
}

void call_by_way_of_a_local(struct part *part)
{
	struct slow_ops *ops = part->slow;

	raw_spin_lock(&part->lock);
	ops->finish(part); /* wrong: lock-sleep-in-atomic */
	raw_spin_unlock(&part->lock);
}

void namesake_of_another_structure(struct part *part)
{
	raw_spin_lock(&part->lock);
	part->quick->finish(part);
	part->finish(part);
	raw_spin_unlock(&part->lock);
}

struct reader { int (*read)(struct reader *reader); };

static int read_slowly(struct reader *reader)
{
	msleep(1);
	return 0;
}

void set_up_reader(struct reader *reader)
{
	reader->read = read_slowly;
}

struct pmu { void (*read)(struct perf_event *event); };

static void count_slowly(struct perf_event *event)
{
	msleep(1); /* wrong: lock-sleep-in-atomic */
}

void set_up_counter(struct pmu *pmu)
{
	pmu->read = count_slowly;
}

struct sock_ops { int (*create)(struct sock *sock, int kind); };
static struct sock_ops *families[8];
static DEFINE_RWLOCK(family_lock);

static int family_create(struct sock *sock, int kind)
{
	if (!families[kind])
		request_module("family-%d", kind);
	read_lock(&family_lock);
	families[kind]->create(sock, kind);
	read_unlock(&family_lock);
	return 0;
}

static struct sock_ops family_ops = { .create = family_create, };

static int family_start(struct sock *sock, struct sock_ops *ops)
{
	read_lock(&family_lock);
	ops->create(sock, 1); /* wrong: lock-sleep-in-atomic */
	read_unlock(&family_lock);
	return 0;
}

static int chan_send(struct sock *sock, struct msghdr *msg)
{
	return copy_from_iter(sock->buffer, 16, &msg->msg_iter);
}

void send_own(struct sock *sock, void *data)
{
	struct kvec iv = { .iov_base = data, .iov_len = 16 };
	struct msghdr msg;

	memset(&msg, 0, sizeof(msg));
	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &iv, 1, 16);
	rcu_read_lock();
	chan_send(sock, &msg);
	rcu_read_unlock();
}

void send_given(struct sock *sock, struct msghdr *msg)
{
	rcu_read_lock();
	chan_send(sock, msg); /* wrong: rcu-sleep-in-reader */
	rcu_read_unlock();
}
