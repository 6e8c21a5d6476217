// Prints requests to Watchbill's webhooks, signed by Twilio's own library, and some that somebody
// has changed on the way, as JSON: one list for the tests in ../api.
//
//   node sign.js
import twilio from 'twilio';

const { getExpectedTwilioSignature } = twilio;
const tokens = ['0000000000000000000000000000000a', '0000000000000000000000000000000b'];
const base = 'https://watchbill.example.com/behind';
const stranger = '0000000000000000000000000000000c';

const message = (body) => ({
  MessageSid: 'SM00000000000000000000000000000001', SmsSid: 'SM00000000000000000000000000000001', AccountSid: 'AC00000000000000000000000000000001',
  From: '+12025550101', To: '+12025550199', Body: body, NumMedia: '0', NumSegments: '1', FromCity: '', FromCountry: 'US', SmsStatus: 'received',
});
const key = (digits) => ({ CallSid: 'CA00000000000000000000000000000001', To: '+12025550101', From: '+12025550199', Digits: digits, CallStatus: 'in-progress', CallerName: '' });

// Each request as Twilio would make it.
const requests = [
  ['/v1/twilio/sms', message('1a')],
  ['/v1/twilio/sms', message('')],
  ['/v1/twilio/sms', message('  spaces around  ')],
  ['/v1/twilio/sms', message('Zürich “1a” 磁盘 🔥 & = + % ; ?')],
  ['/v1/twilio/sms', message('two\nlines\r\n')],
  ['/v1/twilio/sms?from=twilio', message('1a')],
  ['/v1/twilio/sms?a=1&b=%20x%2By&c=%C3%BC', message('1a')],
  ['/v1/twilio/voice?key=' + encodeURIComponent('12/3/0/U0ANN/voice:7'), key('1')],
  ['/v1/twilio/voice?key=page+7', key('9')],
  ['/v1/twilio/voice?key=a%26b%3Dc%22%3E', key('*')],
];

const cases = [];
for (const [path, form] of requests) {
  for (const token of tokens) {
    const signature = getExpectedTwilioSignature(token, base + path, form);
    cases.push({ name: 'as it was signed', path, form, signature, good: true });
    cases.push({ name: 'another text', path, form: { ...form, Body: 'changed' }, signature, good: false });
    cases.push({ name: 'one more value', path, form: { ...form, Extra: 'x' }, signature, good: false });
    cases.push({ name: 'another address', path: path + (path.includes('?') ? '&' : '?') + 'x=1', form, signature, good: false });
    cases.push({ name: 'a letter of the signature', path, form, signature: (signature[0] === 'A' ? 'B' : 'A') + signature.slice(1), good: false });
  }
  cases.push({ name: 'another account', path, form, signature: getExpectedTwilioSignature(stranger, base + path, form), good: false });
  cases.push({ name: 'another host', path, form, signature: getExpectedTwilioSignature(tokens[0], 'https://example.com' + path, form), good: false });
  cases.push({ name: 'a port that is the usual one', path, form, signature: getExpectedTwilioSignature(tokens[0], base.replace('.com', '.com:443') + path, form), good: true });
}
console.log(JSON.stringify(cases, null, 1));
