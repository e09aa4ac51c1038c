<?php
// A PHP backend behind the gate: by fastcgi_pass in a location with "include l402/goods-fastcgi.conf;",
// or by HTTP, to try it out: php -S 127.0.0.1:8403 backend.php
//
// What was sold comes in HTTP_L402_* variables. No client can forge them, as long as the web server alone
// reaches this script. A use is given back for 5xx, and for nothing that you answer with 4xx.
header('Content-Type: application/json');
$access = $_SERVER['HTTP_L402_ACCESS'] ?? '';
if ($access !== 'paid' && $access !== 'free') {
    http_response_code(403);
    exit(json_encode(['error' => 'ask at the front door: this did not come through the gate']));
}
$question = json_decode(file_get_contents('php://input'), true);
$left = $_SERVER['HTTP_L402_USES_LEFT'] ?? '';
echo json_encode([
    'result' => $question['prompt'] ?? null,
    'access' => $access,
    'payment' => $_SERVER['HTTP_L402_PAYMENT_HASH'] ?? '',
    'uses_left' => $left === '' ? null : (int) $left,
]);
