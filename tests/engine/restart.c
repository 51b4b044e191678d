// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the system restarts, a bus may have a way of its own to transfer with interrupts disabled; nothing else sleeps. */

struct gate { struct i2c_client *client; struct notifier_block restart; spinlock_t lock; };
static struct gate *gate_of_all;

static int gate_restart(struct notifier_block *this, unsigned long mode, void *data)
{
	i2c_smbus_write_byte_data(gate_of_all->client, 1, 2);
	if (mode)
		msleep(1); /* wrong: lock-sleep-in-atomic */
	return NOTIFY_DONE;
}

static int gate_idle(struct notifier_block *this, unsigned long mode, void *data)
{
	i2c_smbus_write_byte_data(gate_of_all->client, 1, 3); /* wrong: lock-sleep-in-atomic */
	return NOTIFY_DONE;
}

static struct notifier_block gate_restarts = { .notifier_call = gate_restart };
static struct notifier_block gate_idles = { .notifier_call = gate_idle };

int gate_probe(struct gate *gate)
{
	cpu_pm_register_notifier(&gate_idles);
	return register_restart_handler(&gate_restarts);
}

void gate_close(struct gate *gate)
{
	spin_lock(&gate->lock);
	i2c_smbus_write_byte_data(gate->client, 1, 4); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&gate->lock);
}
