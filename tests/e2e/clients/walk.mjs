// A walk through the API as the official JavaScript client sees it: typed and generic objects, patches, an informer,
// exec, logs and a forwarded port.
//
// Ends with 0 and the line "walked" when everything was as it should be. The cluster comes from $KUBECONFIG, the
// namespace from the first argument; it exists and is empty.

import assert from 'node:assert/strict';
import net from 'node:net';
import { PassThrough } from 'node:stream';
import * as k8s from '@kubernetes/client-node';

const namespace = process.argv[2];
const config = new k8s.KubeConfig();
config.loadFromDefault();
const core = config.makeApiClient(k8s.CoreV1Api);
const batch = config.makeApiClient(k8s.BatchV1Api);
const objects = k8s.KubernetesObjectApi.makeApiClient(config);

await typedObjects();
await everyPatch();
await informerFollows();
await podIsEntered();
console.log('walked');
// The client keeps connections open.
process.exit(0);

async function typedObjects() {
    const version = await config.makeApiClient(k8s.VersionApi).getCode();
    assert.equal(`${version.major}.${version.minor}`, '1.37');
    // A date, a number that may be text, and quantities: what models turn into something else than JSON's own types.
    const spec = {
        schedule: '*/5 * * * *',
        suspend: true,
        jobTemplate: {
            spec: {
                template: {
                    spec: {
                        restartPolicy: 'Never',
                        containers: [
                            { name: 'main', image: 'busybox:1.36', resources: { limits: { cpu: '0.5', memory: '64Mi' } } },
                        ],
                    },
                },
            },
        },
    };
    const created = await batch.createNamespacedCronJob({ namespace, body: { metadata: { name: 'typed' }, spec } });
    assert.ok(created.metadata.creationTimestamp instanceof Date);
    assert.equal(created.spec.concurrencyPolicy, 'Allow');
    assert.equal(created.spec.jobTemplate.spec.template.spec.containers[0].resources.limits.cpu, '500m');
    const listed = await batch.listNamespacedCronJob({ namespace });
    assert.deepEqual(listed.items.map((item) => item.metadata.name), ['typed']);
    await assert.rejects(
        batch.createNamespacedCronJob({ namespace, body: { metadata: { name: 'typed' }, spec } }),
        (error) => error.code === 409 && JSON.parse(error.body).reason === 'AlreadyExists',
    );
    const status = await batch.deleteNamespacedCronJob({ name: 'typed', namespace });
    assert.equal(status.status, 'Success');
}

async function everyPatch() {
    const metadata = { name: 'patched', namespace };
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: '1' } };
    const applied = await objects.patch(map, undefined, undefined, 'walk', false, k8s.PatchStrategy.ServerSideApply);
    assert.equal(applied.metadata.managedFields[0].manager, 'walk');
    assert.equal(applied.metadata.managedFields[0].operation, 'Apply');
    const change = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { b: '2' } };
    for (const strategy of [k8s.PatchStrategy.MergePatch, k8s.PatchStrategy.StrategicMergePatch]) {
        const patched = await objects.patch(change, undefined, undefined, undefined, undefined, strategy);
        assert.deepEqual(patched.data, { a: '1', b: '2' });
    }
    const replaced = await core.patchNamespacedConfigMap(
        { name: 'patched', namespace, body: [{ op: 'remove', path: '/data/b' }] },
        k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.JsonPatch),
    );
    assert.deepEqual(replaced.data, { a: '1' });
    await objects.delete(map);
}

async function informerFollows() {
    const list = () => core.listNamespacedConfigMap({ namespace, labelSelector: 'walk=js' });
    const informer = k8s.makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, list, 'walk=js');
    const seen = [];
    let finish;
    const done = new Promise((resolve) => (finish = resolve));
    for (const verb of ['add', 'update', 'delete']) {
        informer.on(verb, (object) => {
            seen.push(`${verb} ${object.metadata.name}`);
            if (verb === 'delete') finish();
        });
    }
    informer.on('error', (error) => finish(error));
    await informer.start();
    const body = { metadata: { name: 'followed', labels: { walk: 'js' } } };
    await core.createNamespacedConfigMap({ namespace, body });
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'not-selected' } } });
    await core.replaceNamespacedConfigMap({ name: 'followed', namespace, body: { ...body, data: { a: '1' } } });
    // An object that loses its label is gone for who selects by it.
    await core.replaceNamespacedConfigMap({ name: 'followed', namespace, body: { metadata: { name: 'followed' } } });
    const failure = await done;
    assert.equal(failure, undefined);
    await informer.stop();
    assert.deepEqual(seen, ['add followed', 'update followed', 'delete followed']);
}

async function podIsEntered() {
    const script = "trap 'exit 0' TERM; echo one; echo two; while :; do echo served | nc -l -p 8080; done";
    const body = {
        metadata: { name: 'entered' },
        spec: { containers: [{ name: 'main', image: 'busybox:1.36', command: ['sh', '-c', script] }] },
    };
    await core.createNamespacedPod({ namespace, body });
    await watchUntil(`/api/v1/namespaces/${namespace}/pods`, (pod) => pod.status?.phase === 'Running');
    const logs = await core.readNamespacedPodLog({ name: 'entered', namespace, tailLines: 1 });
    assert.equal(logs, 'two\n');

    const [out, err] = [new PassThrough(), new PassThrough()];
    const input = new PassThrough();
    input.end('from the client');
    const exec = new k8s.Exec(config);
    const status = await new Promise((resolve, reject) => {
        const command = ['sh', '-c', 'head -c 15; echo; echo complaint >&2; exit 3'];
        exec.exec(namespace, 'entered', 'main', command, out, err, input, false, resolve).catch(reject);
    });
    assert.equal(status.status, 'Failure');
    assert.equal(status.details.causes[0].message, '3');
    assert.equal(out.read().toString(), 'from the client\n');
    assert.equal(err.read().toString(), 'complaint\n');

    const forward = new k8s.PortForward(config);
    const server = net.createServer((socket) => forward.portForward(namespace, 'entered', [8080], socket, null, socket));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const answer = await new Promise((resolve, reject) => {
        const socket = net.connect(server.address().port, '127.0.0.1');
        socket.once('data', (data) => resolve(data.toString()));
        socket.once('error', reject);
        socket.once('end', () => reject(new Error('the forwarded connection said nothing')));
    });
    assert.equal(answer, 'served\n');
    server.close();
    await core.deleteNamespacedPod({ name: 'entered', namespace, gracePeriodSeconds: 0 });
}

async function watchUntil(path, isReached) {
    const watch = new k8s.Watch(config);
    let request;
    await new Promise((resolve, reject) => {
        const take = (_type, object) => isReached(object) && resolve();
        const end = (error) => reject(error ?? new Error('the watch ended'));
        watch.watch(path, { timeoutSeconds: 90 }, take, end).then((started) => (request = started), reject);
    });
    request?.abort();
}
